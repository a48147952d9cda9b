"""How far two models may really differ, from paired answers on cases clustered by patient.

One estimator serves all metrics: each patient's contribution to the difference is summed, and the
sums are given a t distribution (the CR1 sandwich). Where so few patients changed that this would be
too certain, bounds are widened or exact: an interval never has width zero. Simulations behind each
rule: power study, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import (
    FloatArray,
    IntArray,
    Metric,
    check_classes,
    check_scored,
    decisions,
    placements,
    point_estimate,
)

#: Below so many discordant patients the t interval alone is too certain: it passed a true loss at the
#: margin in 7-33 % of simulations instead of 2.5 % (power study, section 4).
FEWEST_DISCORDANT = 30

#: Below so many patients in one class its own mean is too certain: with 3-10 of them balanced accuracy passed
#: a true loss at the margin in 3-38 % of simulations (nominal 2.5 %). From 20 on it still passes up to 6.5 % where
#: all changes are losses; a higher figure would cost small cohorts most of their power.
FEWEST_OF_CLASS = 20

#: Standard errors below this are rounding, not evidence: differences lie in [-1, 1].
ROUNDING = 1e-12


class IntervalMethod(StrEnum):
    """How an interval was made."""

    CLUSTER_T = "cluster-t"
    """Sandwich over patients, Student's t."""
    CLUSTER_T_CORRECTED = "cluster-t-corrected"
    """The wider, on each side, of the plain interval and that with an all-gain and an all-loss patient more."""
    CLUSTER_JACKKNIFE = "cluster-jackknife"
    """Leaving out one patient at a time, Student's t: one patient holds much of an arm."""
    EXACT = "exact"
    """No patient changed: the bound 1 - alpha^(1/patients) on the share of patients who might have."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The second model minus the first. `low` and `high` are one-sided bounds, each at the same level."""

    estimate: float
    low: float
    high: float
    standard_error: float
    df: int
    cases: int
    patients: int
    discordant_patients: int
    method: IntervalMethod


def paired_bound(
    metric: Metric,
    *,
    labels: IntArray,
    before: FloatArray,
    after: FloatArray,
    patients: Sequence[str],
    alpha: float,
) -> PairedDifference:
    """The difference `after - before` of a metric on the same cases, bounded at one-sided level `alpha`.

    Raises `NotEvaluatedError` where the metric does not exist or fewer than two patients are there.
    """
    _check(metric, labels, before, after, patients, alpha)
    change = (decisions(after) == labels).astype(np.float64) - (decisions(before) == labels)
    owners, owner = np.unique(np.asarray(patients), return_inverse=True)
    if len(owners) < 2:
        raise NotEvaluatedError(
            "All cases are of one patient, so nothing is known about the next one.",
            remedy="Judge on cases of more patients.",
        )
    discordant = len(np.unique(owner[change != 0.0]))
    sums = _sums(metric, labels, before, after, change, owner)
    estimate = point_estimate(metric, labels, after) - point_estimate(metric, labels, before)
    low, high, error, method = _interval(sums, estimate, discordant, alpha)
    return PairedDifference(
        estimate=estimate,
        low=max(low, -1.0),
        high=min(high, 1.0),
        standard_error=error,
        df=len(owners) - 1,
        cases=len(labels),
        patients=len(owners),
        discordant_patients=discordant,
        method=method,
    )


def check_level(alpha: float) -> None:
    """Raise `InputError` unless `alpha` is a one-sided level."""
    if not 0.0 < alpha < 0.5:
        raise InputError("A one-sided level must lie between 0 and 0.5.", remedy="Give alpha, for instance 0.025.")


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums and counts of differences, (patients, strata), and what a stratum's mean weighs.

    `extreme` is the most that one case can change a stratum's values, `moved` whether any case did, and
    `part` what of the weighted means is the difference: AUROC is the mean of either arm, so it counts half.
    """

    total: FloatArray
    count: FloatArray
    weight: FloatArray
    extreme: FloatArray
    part: float
    moved: bool

    def error(self) -> float:
        """The cluster-robust standard error of the weighted sum of the strata's means."""
        size = self.count.sum(axis=0)
        mean = self.total.sum(axis=0) / size
        residual = ((self.total - self.count * mean) * self.weight / size).sum(axis=1)
        groups = len(residual)
        return float(np.sqrt(groups / (groups - 1) * np.square(residual).sum()))

    def centre(self) -> float:
        """The difference itself."""
        return float((self.total.sum(axis=0) / self.count.sum(axis=0) * self.weight * self.part).sum())

    def thin(self) -> list[int]:
        """The strata with too few patients to speak for themselves; never the only stratum."""
        patients = np.count_nonzero(self.count, axis=0)
        return [s for s, number in enumerate(patients) if number < FEWEST_OF_CLASS and len(patients) > 1]

    def with_extremes(self, *, overall: bool) -> _Sums:
        """The same with more patients, who only gained or only lost: for all, and for thin strata."""
        sizes = [self.count.mean(axis=0)] if overall else []
        for stratum in self.thin():
            size = np.zeros(self.count.shape[1])
            size[stratum] = self.count[:, stratum].sum() / np.count_nonzero(self.count[:, stratum])
            sizes.append(size)
        added = np.stack([size for size in sizes for _ in range(2)])
        signs = np.resize([1.0, -1.0], len(added))[:, None]
        return replace(
            self,
            total=np.vstack([self.total, signs * added * self.extreme]),
            count=np.vstack([self.count, added]),
        )

    def largest_share(self) -> float:
        """The most that one patient can change the difference."""
        return float((self.count / self.count.sum(axis=0) * self.weight * self.extreme).sum(axis=1).max())


def _interval(
    sums: _Sums, estimate: float, discordant: int, alpha: float
) -> tuple[float, float, float, IntervalMethod]:
    groups = len(sums.total)
    if not sums.moved:
        bound = (1.0 - alpha ** (1.0 / groups)) * groups * sums.largest_share()
        return -bound, bound, 0.0, IntervalMethod.EXACT
    error = sums.error()
    reach = float(student.ppf(1.0 - alpha, groups - 1)) * error
    few = discordant < FEWEST_DISCORDANT or error <= ROUNDING
    if not few and not sums.thin():
        return estimate - reach, estimate + reach, error, IntervalMethod.CLUSTER_T
    widened = sums.with_extremes(overall=few)
    wider = float(student.ppf(1.0 - alpha, len(widened.total) - 1)) * widened.error()
    low = min(estimate - reach, widened.centre() - wider)
    high = max(estimate + reach, widened.centre() + wider)
    return low, high, max(error, widened.error()), IntervalMethod.CLUSTER_T_CORRECTED


def _sums(
    metric: Metric,
    labels: IntArray,
    before: FloatArray,
    after: FloatArray,
    change: FloatArray,
    owner: IntArray,
) -> _Sums:
    """Strata: all cases; the cases of each class; or, for AUROC, each class and its complement."""
    classes = before.shape[1]
    everybody = np.ones(len(labels), dtype=np.bool_)
    if metric is Metric.ACCURACY:
        strata, values, extremes = [everybody], [change], [1.0]
    elif metric is Metric.BALANCED_ACCURACY:
        strata = [labels == k for k in range(classes)]
        values, extremes = [change] * classes, [1.0] * classes
    else:
        arms = [labels == k for k in range(classes)]
        moved = [placements(arms[k], after[:, k]) - placements(arms[k], before[:, k]) for k in range(classes)]
        strata = arms + [~arm for arm in arms]
        values = moved + moved
        # A case that loses everything gives its probability to one of the other classes.
        extremes = [1.0] * classes + [1.0 / (classes - 1)] * classes
    share = 1.0 if metric is Metric.ACCURACY else 1.0 / classes
    patients = int(owner.max()) + 1
    pairs = list(zip(strata, values, strict=True))
    return _Sums(
        total=np.stack([np.bincount(owner[s], weights=v[s], minlength=patients) for s, v in pairs], axis=1),
        count=np.stack([np.bincount(owner[s], minlength=patients) for s in strata], axis=1).astype(np.float64),
        weight=np.full(len(strata), share),
        extreme=np.asarray(extremes),
        part=0.5 if metric is Metric.AUROC else 1.0,
        moved=any(bool(np.any(v[s])) for s, v in pairs),
    )


def _check(
    metric: Metric,
    labels: IntArray,
    before: FloatArray,
    after: FloatArray,
    patients: Sequence[str],
    alpha: float,
) -> None:
    check_scored(labels, before)
    check_scored(labels, after)
    if before.shape != after.shape or len(patients) != len(labels):
        raise InputError(
            "The two models were not measured on the same cases and classes.",
            remedy="Pair the measurements by case before comparing them.",
        )
    check_level(alpha)
    if metric is not Metric.ACCURACY:
        check_classes(labels, before.shape[1])
