"""Bounds of a figure that two independent arms of patients give, from what each case adds to it.

Every such figure here is, to first order, a sum of two weighted means of case scores, one of each arm. The
spread is that of the patients' sums (the CR1 sandwich), the reach Student's t with Welch-Satterthwaite
degrees of freedom. A patient who weighs much gets the jackknife; an arm in which few patients differ gets
one patient more who only gains and one who only loses, and the exact bound as the least where none differs.
Simulations behind each rule: power study, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from maintain.errors import NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.statistics.sandwich import FEWEST_DISCORDANT, ROUNDING, IntervalMethod

#: Above this share of an arm's cases one patient's residual is shrunk too far by his own pull on the mean:
#: the jackknife takes that back (power study, section 4).
LARGEST_SHARE = 0.10

#: From this share of one and the same outcome on, what varies in an arm are the other outcomes only.
MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class ArmScores:
    """What the cases of one arm add to a figure: `sign` times the weighted mean of `scores`, plus `drift`."""

    scores: FloatArray
    outcomes: FloatArray
    """By which cases are alike or differ: decisions, placements, lying in the tail."""
    weights: FloatArray
    owner: IntArray
    drift: FloatArray
    """What each case adds through the slopes that it moves."""
    extremes: tuple[float, float]
    """The least and the most a case's score can be."""
    sign: float

    def few(self) -> bool:
        """Whether most outcomes are the same and few patients have any other."""
        share, carriers = self._unusual()
        return share >= MOSTLY and carriers < FEWEST_DISCORDANT

    def unseen(self, alpha: float) -> float:
        """What no patient showed but might: the bound 1 - alpha^(1/patients) on their share; else 0."""
        if not self.few() or self._unusual()[1]:
            return 0.0
        weight = np.bincount(self.owner, weights=self.weights)
        patients = (1.0 - alpha ** (1.0 / len(weight))) * len(weight) * weight.max() / weight.sum()
        return float(min(patients, 1.0) * (self.extremes[1] - self.extremes[0]))

    def _unusual(self) -> tuple[float, int]:
        """The usual outcome's share of the cases, and how many patients have any other."""
        kind = np.unique(self.outcomes, return_inverse=True)[1]
        share = np.bincount(kind, weights=self.weights) / self.weights.sum()
        usual = int(share.argmax())
        return float(share[usual]), len(np.unique(self.owner[kind != usual]))

    def spread(self, *, extremes: bool = False) -> Spread:
        """The variance that the patients give to the figure; with two more of mean weight, one at either extreme."""
        weight = np.bincount(self.owner, weights=self.weights)
        total = np.bincount(self.owner, weights=self.weights * self.scores)
        drift = np.bincount(self.owner, weights=self.drift)
        before = total.sum() / weight.sum()
        if extremes:
            added = np.full(2, weight.mean())
            weight, total = np.append(weight, added), np.append(total, added * self.extremes)
            drift = np.append(drift, np.zeros(2))
        mean = total.sum() / weight.sum()
        sums = self.sign * (total - weight * mean) / weight.sum() + drift
        return _spread(sums, weight / weight.sum(), shift=self.sign * float(mean - before))


@dataclass(frozen=True, slots=True)
class Spread:
    """One arm's variance, its degrees of freedom, and how far added patients move the figure."""

    variance: float
    df: float
    shift: float
    dominated: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """An estimate with one-sided bounds, each at the same level."""

    estimate: float
    low: float
    high: float
    standard_error: float
    df: float
    method: IntervalMethod


def bounds(estimate: float, arms: tuple[ArmScores, ...], *, alpha: float) -> Bounds:
    """Bounds of the estimate at one-sided level `alpha`.

    Raises `NotEvaluatedError` where nothing varies and nothing could have, or where sums overflow.
    """
    plain = tuple(arm.spread() for arm in arms)
    method = IntervalMethod.JACKKNIFE if any(s.dominated for s in plain) else IntervalMethod.CLUSTER_T
    error, df = _together(plain)
    low, high = _around(estimate, error, df, alpha)
    few = tuple(arm.few() for arm in arms)
    if any(few):
        widened = tuple(arm.spread(extremes=lacks) for arm, lacks in zip(arms, few, strict=True))
        method = IntervalMethod.CLUSTER_T_CORRECTED
        error, df = _together(widened)
        centre = estimate + sum(spread.shift for spread in widened)
        wider = _around(centre, error, df, alpha)
        unseen = max(arm.unseen(alpha) for arm in arms)
        low, high = min(low, wider[0], estimate - unseen), max(high, wider[1], estimate + unseen)
    size = max(1.0, *(float(np.abs(arm.scores).max()) for arm in arms))
    if error <= ROUNDING * size:
        raise NotEvaluatedError(
            "Nothing varies beyond what the covariates explain, so no interval exists.",
            remedy="Leave out the covariates that repeat the values.",
        )
    if not np.isfinite([estimate, low, high]).all():
        raise NotEvaluatedError("The values are too large to be averaged.", remedy="Judge by values of common size.")
    return Bounds(estimate=estimate, low=low, high=high, standard_error=error, df=df, method=method)


# --- private ---------------------------------------------------------------------------------------


def _spread(sums: FloatArray, share: FloatArray, *, shift: float) -> Spread:
    """CR1, or, where a patient dominates, the jackknife of a mean; its df count patients by their share."""
    groups = len(sums)
    dominated = bool(share.max() > LARGEST_SHARE and share.max() * groups > 1.0 + ROUNDING)
    if dominated:
        variance = (groups - 1) / groups * np.square(sums / (1.0 - share)).sum()
        df = max(1.0 / np.square(share).sum() - 1.0, 1.0)
    else:
        variance = groups / (groups - 1) * np.square(sums).sum()
        df = groups - 1.0
    return Spread(variance=float(variance), df=float(df), shift=shift, dominated=dominated)


def _together(spreads: tuple[Spread, ...]) -> tuple[float, float]:
    """Standard error and degrees of freedom of the sum (Welch 1947, doi:10.2307/2332510)."""
    variance = sum(spread.variance for spread in spreads)
    parts = sum(spread.variance**2 / spread.df for spread in spreads)
    return float(np.sqrt(variance)), float(variance**2 / parts) if parts > 0.0 else 1.0


def _around(centre: float, error: float, df: float, alpha: float) -> tuple[float, float]:
    reach = float(student.ppf(1.0 - alpha, df)) * error
    return centre - reach, centre + reach
