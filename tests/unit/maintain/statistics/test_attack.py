from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from helpers.two_arms import arm_of, plain_arm
from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import (
    ArmsDifference,
    IntervalMethod,
    calibrated_auc,
    difficulty_slope,
    explained_share,
    tail_share,
)

ALPHA = 0.05
Figure: TypeAlias = Callable[..., ArmsDifference]


@pytest.mark.parametrize("figure", [calibrated_auc, tail_share])
def test_values_all_tied_are_not_evaluated(figure: Figure) -> None:
    tied = plain_arm([0.3] * 8, "a"), plain_arm([0.3] * 9, "b")
    with pytest.raises(NotEvaluatedError, match="tied"):
        figure(*tied, alpha=ALPHA)
    rng = np.random.default_rng(1)
    exact = [replace(arm, values=0.1 * arm.covariates[:, 0]) for arm in (arm_of(rng, "a", 9), arm_of(rng, "b", 9))]
    with pytest.raises(NotEvaluatedError, match="tied"):
        figure(*exact, alpha=ALPHA)


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1, float("nan")])
def test_a_quantile_that_is_none_is_refused(quantile: float) -> None:
    with pytest.raises(InputError, match="quantile"):
        tail_share(plain_arm([0.0, 1.0], "a"), plain_arm([0.0, 1.0], "b"), quantile=quantile, alpha=ALPHA)


def test_a_tail_that_the_second_arm_does_not_have_is_not_evaluated() -> None:
    """Saturated values: nobody is above the quantile, which would read as no leak."""
    spread = plain_arm(np.linspace(0.0, 1.0, 100), "a")
    few, saturated = plain_arm(np.linspace(0.0, 1.0, 19), "b"), plain_arm([0.0] * 90 + [1.0] * 10, "b")
    for second in (few, saturated):
        with pytest.raises(NotEvaluatedError, match="tail"):
            tail_share(spread, second, alpha=ALPHA)
    assert tail_share(spread, plain_arm(np.linspace(0.0, 1.0, 20), "b"), alpha=ALPHA).high > 0.05


def test_a_covariate_that_is_not_there_or_does_not_vary_has_no_slope() -> None:
    arm = arm_of(np.random.default_rng(2), "a", 10)
    for column in (-1, 1):
        with pytest.raises(InputError, match="covariate"):
            difficulty_slope(arm, column)
    with pytest.raises(NotEvaluatedError, match="vary"):
        difficulty_slope(replace(arm, covariates=np.full_like(arm.covariates, 0.1)), 0)
    with pytest.raises(NotEvaluatedError, match="alike"):
        explained_share(replace(arm, values=np.full_like(arm.values, 0.1)))


def test_arms_told_apart_perfectly_have_no_interval_of_width_zero() -> None:
    for patients in (3, 40, 200):
        values = np.linspace(0.0, 1.0, patients)
        found = calibrated_auc(plain_arm(values + 2.0, "a"), plain_arm(values, "b"), alpha=ALPHA)
        assert found.estimate == 1.0
        assert found.high == 1.0
        assert 0.0 <= found.low <= ALPHA ** (1.0 / patients)
        assert found.method is IntervalMethod.CLUSTER_T_CORRECTED
        if patients < 20:
            continue
        tail = tail_share(plain_arm(values, "a"), plain_arm(values + 2.0, "b"), alpha=ALPHA)
        assert tail.low == 0.0
        assert tail.high >= 1.0 - ALPHA ** (1.0 / patients)


def test_a_leak_is_seen_and_no_leak_is_not() -> None:
    rng = np.random.default_rng(3)
    second = arm_of(rng, "b", 150)
    figures: tuple[tuple[Figure, float], ...] = ((calibrated_auc, 0.5), (tail_share, 0.05))
    for figure, none in figures:
        assert figure(arm_of(rng, "a", 150, shift=0.8), second, alpha=ALPHA).low > none
        honest = figure(arm_of(rng, "a", 150, easier=1.0), second, alpha=ALPHA)
        assert honest.low < none < honest.high


def test_the_tail_sees_a_minority_that_the_average_hides() -> None:
    rng = np.random.default_rng(4)
    first, second = arm_of(rng, "a", 200), arm_of(rng, "b", 200)
    kept = np.array([int(owner.split("-")[1]) < 30 for owner in first.patients])
    leaking = replace(first, values=first.values + 4.0 * kept)
    assert calibrated_auc(leaking, second, alpha=ALPHA).high < 0.65
    assert tail_share(leaking, second, alpha=ALPHA).low > 0.12


def test_a_relabelled_arm_has_lost_its_slope() -> None:
    rng = np.random.default_rng(5)
    honest = arm_of(rng, "a", 200)
    relabelled = replace(honest, values=rng.normal(size=len(honest.values)))
    assert difficulty_slope(honest, 0) == pytest.approx(1.0, abs=0.1)
    assert abs(difficulty_slope(relabelled, 0)) < 0.1
    assert explained_share(honest) == pytest.approx(0.5, abs=0.1)
    assert explained_share(relabelled) < 0.02


def test_no_covariate_explains_nothing() -> None:
    assert explained_share(plain_arm([0.0, 1.0, 2.0], "a")) == 0.0
