"""Two arms against slow and obvious versions, and the level of each bound against repeated sampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from helpers.two_arms import arm_of
from maintain.errors import NotEvaluatedError
from maintain.statistics import (
    Arm,
    ArmsDifference,
    IntervalMethod,
    adjusted_difference,
    calibrated_auc,
    difficulty_slope,
    explained_share,
    fit_logistic,
    standard_weights,
    tail_share,
)

ALPHA = 0.05
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    first: Arm
    second: Arm


@st.composite
def drawn(draw: st.DrawFn, *, least: int = 0, patients: int = 40) -> Drawn:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns, rounded = draw(st.integers(least, 3)), draw(st.booleans())
    number = st.integers(patients - 10, patients + 10)
    return Drawn(
        first=arm_of(rng, "a", draw(number), columns=columns, shift=0.3, easier=0.4, rounded=rounded),
        second=arm_of(rng, "b", draw(number), columns=columns, rounded=rounded, weighted=draw(st.booleans())),
    )


def joined(case: Drawn) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, weights and the design of the textbook: arm, intercept, covariates. Weights as shares within arms."""
    arms = (case.first, case.second)
    values = np.concatenate([arm.values for arm in arms])
    weights = np.concatenate([arm.weights for arm in arms])
    in_first = np.repeat([1.0, 0.0], [len(arm.values) for arm in arms])
    return values, weights, np.column_stack([in_first, np.ones(len(values)), np.vstack([a.covariates for a in arms])])


def least_squares(case: Drawn) -> tuple[FloatArray, FloatArray]:
    """Coefficients and residuals by scikit-learn."""
    values, weights, design = joined(case)
    fitted = LinearRegression(fit_intercept=False).fit(design, values, sample_weight=weights)
    return fitted.coef_, values - design @ fitted.coef_


def by_patient(arm: Arm, contributions: FloatArray) -> list[float]:
    sums: dict[str, float] = {}
    for owner, contribution in zip(arm.patients, contributions, strict=True):
        sums[owner] = sums.get(owner, 0.0) + float(contribution)
    return list(sums.values())


def welch(arms: list[list[float]]) -> tuple[float, float]:
    """Standard error and degrees of freedom of two arms' sums over patients."""
    variances = [len(sums) / (len(sums) - 1) * sum(value**2 for value in sums) for sums in arms]
    parts = sum(variance**2 / (len(sums) - 1) for variance, sums in zip(variances, arms, strict=True))
    return math.sqrt(sum(variances)), sum(variances) ** 2 / parts


def check_interval(found: ArmsDifference, error: float, df: float) -> None:
    reach = student.ppf(1.0 - ALPHA, df) * error
    assert found.method is IntervalMethod.CLUSTER_T
    assert found.standard_error == pytest.approx(error)
    assert found.df == pytest.approx(df)
    assert (found.low, found.high) == pytest.approx((found.estimate - reach, found.estimate + reach))


@given(drawn())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_difference_is_the_textbook_regression_with_its_cluster_sandwich(case: Drawn) -> None:
    found = adjusted_difference(case.first, case.second, alpha=ALPHA)
    coefficients, residual = least_squares(case)
    _, weights, design = joined(case)
    assert found.estimate == pytest.approx(coefficients[0])
    bread = np.linalg.inv(design.T @ (weights[:, None] * design))
    contributions = (design * (weights * residual)[:, None]) @ bread[0]
    cut = len(case.first.values)
    error, df = welch([by_patient(case.first, contributions[:cut]), by_patient(case.second, contributions[cut:])])
    check_interval(found, error, df)


@given(drawn(patients=30))
@settings(max_examples=5, deadline=None, derandomize=True)
def test_the_difference_is_close_to_leaving_out_one_patient_at_a_time(case: Drawn) -> None:
    """One patient holds a fifth of the first arm: the jackknife, whose slopes move with each patient left out."""
    share = len(case.first.patients) // 5
    held = replace(case.first, patients=("a-0",) * share + case.first.patients[share:])
    found = adjusted_difference(held, case.second, alpha=ALPHA)
    assert found.method is IntervalMethod.JACKKNIFE

    def without(arm: Arm, owner: str) -> Arm:
        keep = np.array([name != owner for name in arm.patients])
        names = tuple(name for name in arm.patients if name != owner)
        return Arm(arm.values[keep], names, arm.covariates[keep], arm.weights[keep])

    variance = 0.0
    for place, arm in enumerate((held, case.second)):
        owners, arms = sorted(set(arm.patients)), [held, case.second]
        for owner in owners:
            arms[place] = without(arm, owner)
            left = least_squares(Drawn(*arms))[0][0]
            variance += (len(owners) - 1) / len(owners) * (left - found.estimate) ** 2
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=0.1)


def naive_placements(ours: FloatArray, theirs: FloatArray, weights: FloatArray) -> list[float]:
    """The weighted share of the other arm that each case beats, one loop a line."""
    placed = []
    for value in ours:
        beaten = 0.0
        for other, weight in zip(theirs, weights, strict=True):
            beaten += weight * (1.0 if value > other else 0.5 if value == other else 0.0)
        placed.append(beaten / float(weights.sum()))
    return placed


@given(drawn())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_the_attack_without_covariates_is_obuchowskis(case: Drawn) -> None:
    first, second = (replace(arm, covariates=arm.covariates[:, :0]) for arm in (case.first, case.second))
    found = calibrated_auc(first, second, alpha=ALPHA)
    truth = np.repeat([1, 0], [len(first.values), len(second.values)])
    values, weights, _ = joined(Drawn(first, second))
    assert found.estimate == pytest.approx(roc_auc_score(truth, values, sample_weight=weights))
    sums = []
    for ours, theirs, sign in ((first, second, 1.0), (second, first, -1.0)):
        placed = np.array(naive_placements(sign * ours.values, sign * theirs.values, theirs.weights))
        mean = ours.weights @ placed / ours.weights.sum()
        assert mean == pytest.approx(found.estimate)
        sums.append(by_patient(ours, ours.weights / ours.weights.sum() * (placed - mean)))
    check_interval(found, *welch(sums))


@given(drawn(least=1))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_the_attack_reads_what_the_regression_leaves(case: Drawn) -> None:
    coefficients, _ = least_squares(case)
    values, weights, design = joined(case)
    left = np.round(values - design[:, 2:] @ coefficients[2:], 9)
    found = calibrated_auc(case.first, case.second, alpha=ALPHA)
    assert found.estimate == pytest.approx(roc_auc_score(design[:, 0], left, sample_weight=weights), abs=0.002)


@given(drawn(), st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_tail_is_a_difference_of_shares_above_the_second_arms_quantile(case: Drawn, quantile: float) -> None:
    first, second = (replace(arm, covariates=arm.covariates[:, :0]) for arm in (case.first, case.second))
    total = float(second.weights.sum())
    limit = min(
        value for value in second.values if second.weights[second.values <= value].sum() / total >= quantile - 1e-9
    )
    beyond = float(second.weights[second.values > limit].sum()) / total
    if beyond <= (1.0 - quantile) / 2.0 + 1e-9:
        with pytest.raises(NotEvaluatedError, match="tail"):
            tail_share(first, second, quantile=quantile, alpha=ALPHA)
        return
    found = tail_share(first, second, quantile=quantile, alpha=ALPHA)
    assert found.estimate == pytest.approx(float(np.mean(first.values > limit)) - beyond + 1.0 - quantile)


@given(drawn(least=1))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_explained_share_and_slope_are_those_of_scikit_learn(case: Drawn) -> None:
    arm = case.second
    fitted = LinearRegression().fit(arm.covariates, arm.values, sample_weight=arm.weights)
    score = fitted.score(arm.covariates, arm.values, sample_weight=arm.weights)
    assert explained_share(arm) == pytest.approx(score)
    alone = LinearRegression().fit(arm.covariates[:, [0]], arm.values, sample_weight=arm.weights)
    assert difficulty_slope(arm, 0) == pytest.approx(alone.coef_[0])


@given(
    st.integers(0, 2**32 - 1), st.integers(3, 4), st.integers(1, 8), st.sampled_from([1e-3, 1e-2, 1e-1]), st.booleans()
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_logistic_is_that_of_scikit_learn(seed: int, classes: int, columns: int, penalty: float, probe: bool) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(150, columns)) * rng.uniform(0.01, 100.0, columns) + rng.normal(size=columns)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    labels = np.argmax(standard @ rng.normal(size=(columns, classes)) + rng.gumbel(size=(150, classes)), axis=1)
    labels[:classes] = np.arange(classes)
    found = fit_logistic(features, labels, classes, penalty=penalty).log_probabilities(features)
    oracle = LogisticRegression(C=1.0 / (150 * penalty), tol=1e-8, max_iter=5000).fit(standard, labels)
    assert np.allclose(found, oracle.predict_log_proba(standard), atol=5e-3)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.lists(st.integers(0, 3), max_size=30))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_weights_are_ratios_of_shares(first: list[int], more: list[int]) -> None:
    second = [0, 1, 2, *more]
    weights = standard_weights(first, second)
    expected = [first.count(label) / len(first) * len(second) / second.count(label) for label in second]
    assert weights.tolist() == pytest.approx(expected)


FIGURES: tuple[tuple[Callable[..., ArmsDifference], float, bool], ...] = (
    (adjusted_difference, 0.0, True),
    (adjusted_difference, 0.0, False),
    (calibrated_auc, 0.5, False),
    (tail_share, 0.05, False),
)


@pytest.mark.parametrize(("figure", "truth", "decided"), FIGURES)
def test_the_level_is_kept_in_repeated_samples(
    figure: Callable[..., ArmsDifference], truth: float, decided: bool
) -> None:
    """No leak, 60 patients an arm, of whom those of the first are easier: each bound errs about 5 % of the time."""
    repetitions, low_errs, high_errs = 300, 0, 0
    rng = np.random.default_rng(17)
    for _ in range(repetitions):
        first = arm_of(rng, "a", 60, decided=decided, easier=0.0 if decided else 0.5)
        found = figure(first, arm_of(rng, "b", 60, decided=decided), alpha=ALPHA)
        low_errs += found.low > truth
        high_errs += found.high < truth
    assert max(low_errs, high_errs) / repetitions <= 0.09
    assert low_errs / repetitions >= 0.01
