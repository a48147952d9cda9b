"""The one estimator behind the intervals: sums over patients, a sandwich, Student's t.

Each patient's contribution to a mean of strata's means is summed, and the sums are given a t
distribution (CR1). Where so few patients say anything that this would be too certain, bounds are
widened or exact: an interval never has width zero. Simulations behind each rule: power study, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray

#: Below so many discordant patients the t interval alone is too certain: it passed a true loss at the
#: margin in 7-33 % of simulations instead of 2.5 % (power study, section 4).
FEWEST_DISCORDANT = 30

#: Below so many discordant patients in one class its own mean is too certain, however many changed in the others:
#: with 20 patients of a class beside 1,000 of another balanced accuracy passed a true loss at a margin of .05 in
#: 36 % of simulations (nominal 2.5 %) while only the size of a class was looked at.
FEWEST_OF_CLASS = 20

#: All-gain and all-loss patients added to such a class, each so many times (as Agresti and Coull 1998 add two of
#: either). Worst of 225 layouts, all changes losses, margin .05: 3.8 % (once each: 5.7 %, three times: 3.6 %).
#: With 80 and 400 patients, a tenth discordant, it passes an unchanged quality in 54 % instead of 61 %; with 300
#: a class it costs nothing.
EXTREMES_OF_CLASS = 2

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
    EFFECTIVE_CASES = "effective-cases"
    """Of a share: Clopper and Pearson's bounds for the number of independent cases the clustered ones are worth."""
    JACKKNIFE = "jackknife"
    """A patient, or a group of patients, left out at a time, Student's t."""
    EXACT = "exact"
    """No patient departs from the others: the bound 1 - alpha^(1/patients) on the share who might have."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums and counts of differences, (patients, strata), and what a stratum's mean weighs.

    `extreme` is the most that one case can change a stratum's values, `moved` how many patients did, and
    `part` what of the weighted means is the difference: AUROC is the mean of either arm, so it counts half.
    """

    total: FloatArray
    count: FloatArray
    weight: FloatArray
    extreme: FloatArray
    part: float
    moved: IntArray

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
        """The strata in which too few patients changed to speak for themselves; never the only stratum."""
        return [s for s, number in enumerate(self.moved) if number < FEWEST_OF_CLASS and len(self.moved) > 1]

    def with_extremes(self, *, overall: bool) -> Sums:
        """The same with more patients, who only gained or only lost: for all, and for thin strata."""
        sizes = [self.count.mean(axis=0)] if overall else []
        for stratum in self.thin():
            size = np.zeros(self.count.shape[1])
            size[stratum] = self.count[:, stratum].sum() / np.count_nonzero(self.count[:, stratum])
            sizes += [size] * EXTREMES_OF_CLASS
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


@dataclass(frozen=True, slots=True)
class Bounds:
    """One-sided bounds, each at the same level, and how they were made."""

    low: float
    high: float
    standard_error: float
    method: IntervalMethod


def bounds(sums: Sums, estimate: float, *, discordant: int, alpha: float) -> Bounds:
    """Bounds on the weighted mean: exact without any change, corrected with few, otherwise cluster t."""
    groups = len(sums.total)
    if not sums.moved.any():
        bound = (1.0 - alpha ** (1.0 / groups)) * groups * sums.largest_share()
        return Bounds(-bound, bound, 0.0, IntervalMethod.EXACT)
    error = sums.error()
    reach = float(student.ppf(1.0 - alpha, groups - 1)) * error
    few = discordant < FEWEST_DISCORDANT or error <= ROUNDING
    if not few and not sums.thin():
        return Bounds(estimate - reach, estimate + reach, error, IntervalMethod.CLUSTER_T)
    widened = sums.with_extremes(overall=few)
    wider = float(student.ppf(1.0 - alpha, len(widened.total) - 1)) * widened.error()
    low = min(estimate - reach, widened.centre() - wider)
    high = max(estimate + reach, widened.centre() + wider)
    return Bounds(low, high, max(error, widened.error()), IntervalMethod.CLUSTER_T_CORRECTED)


def numbered(patients: Sequence[str]) -> IntArray:
    """The patient of each case as a number from 0. Raises `NotEvaluatedError` below two patients."""
    owners, owner = np.unique(np.asarray(patients), return_inverse=True)
    if len(owners) < 2:
        raise NotEvaluatedError(
            "All cases are of one patient, so nothing is known about the next one.",
            remedy="Judge on cases of more patients.",
        )
    return owner.astype(np.int64)


def check_level(alpha: float) -> None:
    """Raise unless `alpha` is a one-sided level."""
    if not 0.0 < alpha < 0.5:
        raise InputError("A one-sided level must lie between 0 and 0.5.", remedy="Give alpha, for instance 0.025.")
