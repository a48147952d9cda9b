from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import (
    Bound,
    IntervalMethod,
    Metric,
    WeightedFigure,
    brier,
    calibration_error,
    calibration_slope,
    churn,
    difference,
    jackknife_bound,
    log_odds,
    new_misses,
    paired_bound,
    roc_area,
    sensitivity_at,
    softmax_scored,
    specificity_at,
)
from maintain.statistics.jackknife import MOST_GROUPS, groups_of
from maintain.statistics.metrics import FloatArray
from maintain.statistics.scored import weighted_mean

ALPHA = 0.025


def names(count: int) -> list[str]:
    return [f"{number:05d}" for number in range(count)]


def mean_of(values: FloatArray) -> WeightedFigure:
    return lambda weights: weighted_mean(values, weights)


def bounded(values: FloatArray, patients: list[str]) -> Bound:
    return jackknife_bound(mean_of(values), patients, alpha=ALPHA)


def test_nothing_given_and_one_patient_are_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="no cases"):
        bounded(np.empty(0), [])
    with pytest.raises(NotEvaluatedError, match="one patient"):
        bounded(np.array([0.0, 1.0]), ["a", "a"])


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="level"):
        jackknife_bound(mean_of(np.array([0.0, 1.0])), names(2), alpha=0.5)


def test_a_figure_that_nobody_moves_has_no_interval() -> None:
    with pytest.raises(NotEvaluatedError, match="whichever patients are left out"):
        bounded(np.ones(50), names(50))


def test_a_figure_that_does_not_exist_without_one_group_is_not_evaluated() -> None:
    labels = np.array([0] * 49 + [1])
    scored = softmax_scored(labels, np.random.default_rng(1).normal(size=(50, 2)))
    with pytest.raises(NotEvaluatedError, match="one class"):
        jackknife_bound(roc_area(scored), names(50), alpha=ALPHA)


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        jackknife_bound(lambda weights: float("nan"), names(5), alpha=ALPHA)


@pytest.mark.parametrize("patients", [2, 40, MOST_GROUPS])
def test_leaving_out_single_patients_gives_the_interval_of_a_mean(patients: int) -> None:
    values = np.random.default_rng(2).normal(size=patients)
    found = bounded(values, names(patients))
    reach = student.ppf(1 - ALPHA, patients - 1) * values.std(ddof=1) / np.sqrt(patients)
    assert found.method is IntervalMethod.JACKKNIFE
    assert (found.low, found.high) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_groups_keep_patients_whole_and_are_of_like_size() -> None:
    owner = np.repeat(np.arange(1003), np.random.default_rng(3).integers(1, 30, 1003))
    group = groups_of(owner)
    assert all(len(set(group[owner == patient])) == 1 for patient in range(0, 1003, 50))
    assert len(set(group)) == MOST_GROUPS
    cases = np.bincount(group)
    assert cases.max() < 1.3 * cases.min()


def test_the_order_of_cases_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    values, patients = rng.normal(size=900), np.repeat(names(300), 3)
    shuffled = rng.permutation(900)
    one, other = bounded(values, patients.tolist()), bounded(values[shuffled], patients[shuffled].tolist())
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_it_is_close_to_the_sandwich_where_there_is_one() -> None:
    rng = np.random.default_rng(5)
    labels, patients = rng.integers(0, 3, 1200), np.repeat(names(400), 3).tolist()
    before = rng.normal(size=(1200, 3)) + np.eye(3)[labels]
    after = before + 0.8 * rng.normal(size=(1200, 3))
    known = paired_bound(
        Metric.AUROC, labels=labels, before=log_odds(before), after=log_odds(after), patients=patients, alpha=ALPHA
    )
    figure = difference(roc_area(softmax_scored(labels, before)), roc_area(softmax_scored(labels, after)))
    found = jackknife_bound(figure, patients, alpha=ALPHA)
    assert found.estimate == pytest.approx(known.estimate)
    assert found.high - found.low == pytest.approx(known.high - known.low, rel=0.2)


def test_twenty_thousand_cases_in_twelve_subgroups_take_seconds() -> None:
    """The subgroups of a field together cost what the whole does: 10 s for the whole and four fields, 4 s for one
    whole allow for a slow machine (6.4 s and 1.6 s where it was written)."""
    rng = np.random.default_rng(6)
    cases, alpha = 20_000, 0.0125
    labels = rng.integers(0, 3, cases)
    patients = [f"{number:05d}" for number in rng.integers(0, 5_000, cases)]
    before = rng.normal(size=(cases, 3)) + 1.5 * np.eye(3)[labels]
    after = before + 0.3 * rng.normal(size=(cases, 3))
    start = time.process_time()
    first, second = softmax_scored(labels, before), softmax_scored(labels, after)
    for metric in Metric:
        paired_bound(
            metric, labels=labels, before=log_odds(before), after=log_odds(after), patients=patients, alpha=alpha
        )
    for figures in (
        (brier(first), brier(second)),
        (calibration_error(first), calibration_error(second)),
        (calibration_slope(first), calibration_slope(second)),
        (sensitivity_at(first, specificity=0.9), sensitivity_at(second, specificity=0.9)),
        (specificity_at(first, sensitivity=0.9), specificity_at(second, sensitivity=0.9)),
    ):
        jackknife_bound(difference(*figures), patients, alpha=alpha)
    churn(first, second, patients, alpha=alpha)
    new_misses(first, second, patients, alpha=alpha)
    assert time.process_time() - start < 10.0
