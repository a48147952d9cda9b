from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from helpers.two_arms import arm_of, plain_arm
from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import Arm, ArmsDifference, IntervalMethod, adjusted_difference, calibrated_auc, tail_share

ALPHA = 0.05
Figure: TypeAlias = Callable[..., ArmsDifference]
FIGURES: tuple[Figure, ...] = (adjusted_difference, calibrated_auc, tail_share)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_not_evaluated(figure: Figure, bad: float) -> None:
    first, second = plain_arm([0.0, 1.0, bad], "a"), plain_arm([0.0, 1.0, 1.0], "b")
    for arms in ((first, second), (replace(second, patients=first.patients), replace(first, patients=second.patients))):
        with pytest.raises(NotEvaluatedError, match="NaN"):
            figure(*arms, alpha=ALPHA)
    with pytest.raises(NotEvaluatedError, match="NaN"):
        figure(replace(first, values=np.ones(3), covariates=np.full((3, 1), bad)), second, alpha=ALPHA)


@pytest.mark.parametrize("figure", FIGURES)
def test_one_patient_or_none_is_not_evaluated(figure: Figure) -> None:
    others = plain_arm([0.0, 1.0, 0.5, 2.0], "b")
    with pytest.raises(NotEvaluatedError, match="one patient"):
        figure(plain_arm([0.0, 1.0], "a", each=2), others, alpha=ALPHA)
    with pytest.raises(NotEvaluatedError, match="no cases"):
        figure(plain_arm([], "a"), others, alpha=ALPHA)
    with pytest.raises(NotEvaluatedError, match="no cases"):
        figure(plain_arm([1.0, 0.0], "a", weights=np.zeros(2)), others, alpha=ALPHA)


@pytest.mark.parametrize("figure", FIGURES)
def test_arms_that_do_not_fit_are_refused(figure: Figure) -> None:
    first, second = plain_arm([0.0, 1.0, 0.5], "a"), plain_arm([0.0, 1.0, 2.0], "b")
    for wrong in (
        replace(first, patients=first.patients[:2]),
        replace(first, weights=np.ones(2)),
        replace(first, covariates=np.zeros((2, 1))),
        replace(first, values=np.zeros((3, 1))),
    ):
        with pytest.raises(InputError, match="do not fit"):
            figure(wrong, second, alpha=ALPHA)
    with pytest.raises(InputError, match="covariates"):
        figure(replace(first, covariates=np.zeros((3, 1))), second, alpha=ALPHA)
    with pytest.raises(InputError, match="both arms"):
        figure(first, replace(second, patients=first.patients), alpha=ALPHA)
    for weight in (-1.0, np.nan):
        with pytest.raises(InputError, match="weight"):
            figure(replace(first, weights=np.array([1.0, 1.0, weight])), second, alpha=ALPHA)
    for level in (0.0, 0.5, np.nan):
        with pytest.raises(InputError, match="level"):
            figure(first, second, alpha=level)


def test_what_the_covariates_explain_entirely_is_not_evaluated() -> None:
    rng = np.random.default_rng(1)
    first, second = arm_of(rng, "a", 40), arm_of(rng, "b", 40)
    exact = [replace(arm, values=2.0 * arm.covariates[:, 0] + 1.0) for arm in (first, second)]
    for scale in (1e-3, 1.0, 1e9):
        with pytest.raises(NotEvaluatedError, match="explain"):
            adjusted_difference(*(replace(arm, values=scale * arm.values) for arm in exact), alpha=ALPHA)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_values_too_large_to_be_squared_are_not_evaluated() -> None:
    rng = np.random.default_rng(1)
    huge = [replace(arm, values=1e200 * arm.values) for arm in (arm_of(rng, "a", 40), arm_of(rng, "b", 40))]
    with pytest.raises(NotEvaluatedError, match="large"):
        adjusted_difference(*huge, alpha=ALPHA)


def test_constant_and_repeated_covariates_are_left_out() -> None:
    rng = np.random.default_rng(2)
    first, second = arm_of(rng, "a", 40, easier=0.5), arm_of(rng, "b", 40)

    def repeated(arm: Arm, offset: float) -> Arm:
        one = arm.covariates
        return replace(arm, covariates=np.hstack([one, np.full_like(one, 3.3 + offset), -2.0 * one + 1.0, 1e6 * one]))

    found = adjusted_difference(first, second, alpha=ALPHA)
    again = adjusted_difference(repeated(first, 0.0), repeated(second, 1.0), alpha=ALPHA)
    assert (again.estimate, again.low, again.high) == pytest.approx((found.estimate, found.low, found.high))
    assert calibrated_auc(repeated(first, 0.0), repeated(second, 1.0), alpha=ALPHA).estimate == pytest.approx(
        calibrated_auc(first, second, alpha=ALPHA).estimate, abs=1e-3
    )


def test_difficulty_is_taken_out() -> None:
    rng = np.random.default_rng(3)
    first, second = arm_of(rng, "a", 200, easier=1.0), arm_of(rng, "b", 200)
    raw = [replace(arm, covariates=arm.covariates[:, :0]) for arm in (first, second)]
    assert adjusted_difference(*raw, alpha=ALPHA).low > 0.5
    found = adjusted_difference(first, second, alpha=ALPHA)
    assert found.low < 0.0 < found.high
    assert found.patients == (200, 200)


@pytest.mark.parametrize(("ours", "theirs"), [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0)])
def test_full_agreement_has_no_interval_of_width_zero(ours: float, theirs: float) -> None:
    for patients in (2, 4, 60, 400):
        found = adjusted_difference(plain_arm([ours] * patients, "a"), plain_arm([theirs] * patients, "b"), alpha=ALPHA)
        unseen = 1.0 - ALPHA ** (1.0 / patients)
        assert found.estimate == ours - theirs
        assert found.low <= found.estimate - unseen
        assert found.high >= found.estimate + unseen
        assert found.method is IntervalMethod.CLUSTER_T_CORRECTED


def test_few_patients_with_the_rarer_outcome_widen_the_interval() -> None:
    second = plain_arm([0.0] * 40 + [1.0] * 60, "b")
    few, enough = (plain_arm([0.0] * wrong + [1.0] * (200 - wrong), "a") for wrong in (29, 30))
    widened, plain = (adjusted_difference(arm, second, alpha=ALPHA) for arm in (few, enough))
    assert widened.method is IntervalMethod.CLUSTER_T_CORRECTED
    assert plain.method is IntervalMethod.CLUSTER_T
    assert widened.high - widened.low > plain.high - plain.low


def test_a_contrast_of_decisions_is_widened_when_few_patients_differ_from_the_rest() -> None:
    """A right candidate less half a right champion: all the same .5 but for a few."""
    first, second = plain_arm([0.5] * 95 + [-0.5] * 5, "a"), plain_arm([0.5] * 100, "b")
    narrow = adjusted_difference(first, second, alpha=ALPHA)
    wide = adjusted_difference(replace(first, limits=(-0.5, 1.0)), replace(second, limits=(-0.5, 1.0)), alpha=ALPHA)
    assert narrow.method is wide.method is IntervalMethod.CLUSTER_T_CORRECTED
    assert wide.low == pytest.approx(narrow.low)
    assert wide.high >= narrow.high
    mixed = plain_arm([0.5, 0.0, 1.0, -0.5] * 10, "a"), plain_arm([0.5, 0.0, 1.0, -0.5] * 10, "b")
    assert adjusted_difference(*mixed, alpha=ALPHA).method is IntervalMethod.CLUSTER_T


def test_a_patient_who_holds_much_gets_the_jackknife() -> None:
    rng = np.random.default_rng(5)
    first, second = arm_of(rng, "a", 60, columns=0), arm_of(rng, "b", 60, columns=0)
    plain = adjusted_difference(first, second, alpha=ALPHA)
    share = len(first.patients) // 3
    held = adjusted_difference(replace(first, patients=("a-59",) * share + first.patients[share:]), second, alpha=ALPHA)
    assert plain.method is IntervalMethod.CLUSTER_T
    assert held.method is IntervalMethod.JACKKNIFE
    assert held.df < plain.df
    assert held.high - held.low > plain.high - plain.low


def test_cases_without_weight_do_not_count() -> None:
    rng = np.random.default_rng(6)
    first, second, more = arm_of(rng, "a", 40), arm_of(rng, "b", 40), arm_of(rng, "c", 10)
    joined = Arm(
        values=np.concatenate([second.values, more.values]),
        patients=second.patients + more.patients,
        covariates=np.vstack([second.covariates, more.covariates]),
        weights=np.concatenate([second.weights, np.zeros(len(more.values))]),
    )
    for figure in FIGURES:
        assert figure(first, joined, alpha=ALPHA) == figure(first, second, alpha=ALPHA)


def test_the_order_of_cases_and_the_names_of_patients_do_not_matter() -> None:
    rng = np.random.default_rng(7)
    first, second = arm_of(rng, "a", 40, weighted=True), arm_of(rng, "b", 40, weighted=True)
    order = rng.permutation(len(first.values))
    shuffled = Arm(
        values=first.values[order],
        patients=tuple(first.patients[place].replace("a-", "z") for place in order),
        covariates=first.covariates[order],
        weights=first.weights[order],
    )
    for figure in FIGURES:
        found, again = figure(first, second, alpha=ALPHA), figure(shuffled, second, alpha=ALPHA)
        assert (again.estimate, again.low, again.high) == pytest.approx((found.estimate, found.low, found.high))
