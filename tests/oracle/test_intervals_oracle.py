"""Intervals against slow and obvious versions, and their level against repeated sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from maintain.statistics import IntervalMethod, Metric, auroc, decisions, paired_bound
from maintain.statistics.metrics import FloatArray, IntArray

ALPHA = 0.05


class Drawn:
    """Two models' scores for cases of patients, enough of whom change for the plain interval."""

    def __init__(self, *, seed: int, classes: int, patients: int, ties: bool) -> None:
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 6, patients)
        self.patients = [str(owner) for owner in np.repeat(np.arange(patients), sizes)]
        cases = len(self.patients)
        self.labels: IntArray = rng.integers(0, classes, cases)
        shared = np.repeat(rng.normal(size=(patients, classes)), sizes, axis=0)
        shared[np.arange(cases), self.labels] += 1.0
        self.before: FloatArray = shared + rng.normal(size=(cases, classes))
        self.after: FloatArray = shared + rng.normal(size=(cases, classes))
        if ties:
            self.before, self.after = np.round(self.before), np.round(self.after)


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    return Drawn(
        seed=draw(st.integers(0, 2**32 - 1)),
        classes=draw(st.integers(2, 3)),
        patients=draw(st.integers(90, 110)),
        ties=draw(st.booleans()),
    )


def changes(case: Drawn) -> FloatArray:
    right_after = decisions(case.after) == case.labels
    change: FloatArray = right_after.astype(np.float64) - (decisions(case.before) == case.labels)
    return change


def cluster_error(case: Drawn, contributions: list[float]) -> float:
    """sqrt(G / (G - 1) * sum of squares of the patients' sums), one loop a line."""
    sums: dict[str, float] = {}
    for owner, contribution in zip(case.patients, contributions, strict=True):
        sums[owner] = sums.get(owner, 0.0) + contribution
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * sum(value * value for value in sums.values()))


def strata_contributions(case: Drawn, metric: Metric) -> list[float]:
    change, classes = changes(case), case.before.shape[1]
    found = []
    for number, label in enumerate(case.labels):
        same = [other for other in range(len(change)) if metric is Metric.ACCURACY or case.labels[other] == label]
        mean = sum(change[other] for other in same) / len(same)
        weight = 1.0 if metric is Metric.ACCURACY else 1.0 / classes
        found.append(weight * (change[number] - mean) / len(same))
    return found


def naive_placements(labels: IntArray, scores: FloatArray, k: int) -> list[float]:
    placed = []
    for case, label in enumerate(labels):
        row = []
        for other, foreign in enumerate(labels):
            if (foreign == k) == (label == k):
                continue
            high, low = (case, other) if label == k else (other, case)
            difference = scores[high, k] - scores[low, k]
            row.append(1.0 if difference > 0 else 0.5 if difference == 0 else 0.0)
        placed.append(sum(row) / len(row))
    return placed


def obuchowski_contributions(case: Drawn) -> list[float]:
    classes = case.before.shape[1]
    total = [0.0] * len(case.labels)
    for k in range(classes):
        before = naive_placements(case.labels, case.before, k)
        after = naive_placements(case.labels, case.after, k)
        moved = [b - a for a, b in zip(before, after, strict=True)]
        for arm in (True, False):
            members = [number for number, label in enumerate(case.labels) if (label == k) == arm]
            mean = sum(moved[number] for number in members) / len(members)
            for number in members:
                total[number] += (moved[number] - mean) / len(members) / classes
    return total


@given(drawn())
@settings(max_examples=6, deadline=None, derandomize=True)
@pytest.mark.parametrize("metric", Metric)
def test_cluster_t_agrees_with_the_obvious_double_loop(metric: Metric, case: Drawn) -> None:
    found = paired_bound(
        metric, labels=case.labels, before=case.before, after=case.after, patients=case.patients, alpha=ALPHA
    )
    contributions = obuchowski_contributions(case) if metric is Metric.AUROC else strata_contributions(case, metric)
    error = cluster_error(case, contributions)
    reach = student.ppf(1 - ALPHA, found.patients - 1) * error
    assert found.method is IntervalMethod.CLUSTER_T
    assert found.standard_error == pytest.approx(error)
    assert (found.low, found.high) == pytest.approx((found.estimate - reach, found.estimate + reach))


@given(drawn())
@settings(max_examples=8, deadline=None, derandomize=True)
@pytest.mark.parametrize("metric", Metric)
def test_cluster_t_is_close_to_leaving_out_one_patient_at_a_time(metric: Metric, case: Drawn) -> None:
    def difference(keep: list[int]) -> float:
        labels, before, after = case.labels[keep], case.before[keep], case.after[keep]
        if metric is Metric.AUROC:
            return auroc(labels, after) - auroc(labels, before)
        change = changes(case)[keep]
        if metric is Metric.ACCURACY:
            return float(np.mean(change))
        return float(np.mean([np.mean(change[labels == k]) for k in range(before.shape[1])]))

    owners = sorted(set(case.patients))
    left = [difference([n for n, owner in enumerate(case.patients) if owner != out]) for out in owners]
    spread = math.sqrt((len(left) - 1) / len(left) * sum((value - np.mean(left)) ** 2 for value in left))
    found = paired_bound(
        metric, labels=case.labels, before=case.before, after=case.after, patients=case.patients, alpha=ALPHA
    )
    assert found.standard_error == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("metric", Metric)
def test_the_level_is_kept_in_repeated_samples(metric: Metric) -> None:
    """Two models equally good in truth, four images a patient: each bound errs about 5 % of the time."""
    repetitions, low_errs, high_errs = 400, 0, 0
    for seed in range(repetitions):
        case = Drawn(seed=seed, classes=2, patients=60, ties=False)
        found = paired_bound(
            metric,
            labels=case.labels,
            before=case.before,
            after=case.after,
            patients=case.patients,
            alpha=ALPHA,
        )
        low_errs += found.low > 0.0
        high_errs += found.high < 0.0
    for errs in (low_errs, high_errs):
        assert 0.015 <= errs / repetitions <= 0.09


def test_losses_alone_do_not_slip_below_the_margin() -> None:
    """The degenerate case of the power study, section 4: plain t passed 14-33 % of these, not 2.5 %."""
    margin, repetitions, passed = 0.02, 400, 0
    labels = np.arange(100) % 2
    before = np.eye(2)[labels]
    patients = [str(number) for number in range(100)]
    rng = np.random.default_rng(11)
    for _ in range(repetitions):
        lost = rng.random(100) < margin
        after = np.where(lost[:, None], 1.0 - before, before)
        found = paired_bound(Metric.ACCURACY, labels=labels, before=before, after=after, patients=patients, alpha=0.025)
        passed += found.low > -margin
    assert passed / repetitions <= 0.05


def test_a_rare_class_does_not_slip_below_the_margin() -> None:
    """Five patients in one of three classes: balanced accuracy by plain t passed 36 % of these,
    and 28 % with the correction over all patients alone (same seed, 300 repetitions; nominal 2.5 %)."""
    loss, repetitions, passed = 0.05, 300, 0
    labels = np.repeat([0, 1, 2], [100, 100, 5])
    before = np.eye(3)[labels]
    patients = [str(number) for number in range(len(labels))]
    rng = np.random.default_rng(12)
    for _ in range(repetitions):
        lost = rng.random(len(labels)) < loss
        after = np.where(lost[:, None], np.eye(3)[(labels + 1) % 3], before)
        found = paired_bound(
            Metric.BALANCED_ACCURACY, labels=labels, before=before, after=after, patients=patients, alpha=0.025
        )
        passed += found.low > -loss
    assert passed / repetitions <= 0.05


def test_a_quiet_class_does_not_borrow_certainty_from_a_large_one() -> None:
    """Losses only, exactly at the margin, 20 patients beside 1,000: 36 % of these passed (nominal 2.5 %)
    while enough discordant patients of the other class were enough."""
    loss, repetitions, passed = 0.05, 200, 0
    labels = np.repeat([0, 1], [1000, 20])
    before = np.eye(2)[labels]
    patients = [f"{number:04d}" for number in range(len(labels))]
    rng = np.random.default_rng(13)
    for _ in range(repetitions):
        lost = rng.random(len(labels)) < loss
        after = np.where(lost[:, None], 1.0 - before, before)
        found = paired_bound(
            Metric.BALANCED_ACCURACY, labels=labels, before=before, after=after, patients=patients, alpha=0.025
        )
        passed += found.low > -loss
    assert passed / repetitions <= 0.05
