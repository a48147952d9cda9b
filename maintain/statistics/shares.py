"""Bounds on one mean or one share of cases, clustered by patient.

For questions without a second model: how many cases lie beyond a threshold, how far a candidate is from
the mean of several references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray
from maintain.statistics.sandwich import IntervalMethod, Sums, bounds, check_level, numbered


@dataclass(frozen=True, slots=True)
class Bound:
    """A mean over cases. `low` and `high` are one-sided bounds, each at the same level."""

    estimate: float
    low: float
    high: float
    cases: int
    patients: int
    method: IntervalMethod


def mean_bound(values: FloatArray, patients: Sequence[str], *, alpha: float) -> Bound:
    """The mean of values in [-1, 1], bounded at one-sided level `alpha`.

    Patients speak where they depart from the commonest value; below 30 such the bound is corrected, and
    where nobody does it is exact. Raises `NotEvaluatedError` without cases, with NaN, with one patient.
    """
    _check(values, patients, alpha)
    owner = numbered(patients)
    found, counts = np.unique(values, return_counts=True)
    commonest = float(found[np.argmax(counts)])
    sums = _sums(values, owner)
    estimate = float(values.mean())
    if len(found) == 1:
        return _unanimous(sums, commonest, len(values), alpha, lowest=-1.0)
    departing = len(np.unique(owner[values != commonest]))
    reached = bounds(sums, estimate, discordant=departing, alpha=alpha)
    return Bound(
        estimate=estimate,
        low=max(reached.low, -1.0),
        high=min(reached.high, 1.0),
        cases=len(values),
        patients=len(sums.total),
        method=reached.method,
    )


def share_bound(hits: NDArray[np.bool_], patients: Sequence[str], *, alpha: float) -> Bound:
    """The share of cases that are hits, bounded at one-sided level `alpha`.

    Clopper and Pearson's bounds for as many independent cases as the clustered ones are worth (Korn and
    Graubard 1998), or the corrected cluster t where few patients differ and it is wider; exact where no
    case or every case is a hit. Raises `NotEvaluatedError` without cases or with one patient.
    """
    if hits.dtype != np.bool_:
        raise InputError("Hits are true or false.", remedy="Give an array of booleans.")
    values = hits.astype(np.float64)
    _check(values, patients, alpha)
    sums = _sums(values, numbered(patients))
    share = float(values.mean())
    if hits.all() or not hits.any():
        return _unanimous(sums, share, len(hits), alpha, lowest=0.0)
    effective = _effective_cases(sums, share, len(hits), alpha)
    reached = share * effective
    low = float(beta.ppf(alpha, reached, effective - reached + 1.0))
    high = float(beta.ppf(1.0 - alpha, reached + 1.0, effective - reached))
    corrected = mean_bound(2.0 * values - 1.0, patients, alpha=alpha)
    if corrected.method is IntervalMethod.CLUSTER_T_CORRECTED:
        low, high = min(low, (1.0 + corrected.low) / 2.0), max(high, (1.0 + corrected.high) / 2.0)
    return Bound(
        estimate=share,
        low=low,
        high=high,
        cases=len(hits),
        patients=len(sums.total),
        method=IntervalMethod.EFFECTIVE_CASES,
    )


# --- private ---------------------------------------------------------------------------------------


def _sums(values: FloatArray, owner: NDArray[np.int64]) -> Sums:
    """One stratum: all cases."""
    return Sums(
        total=np.bincount(owner, weights=values)[:, None].astype(np.float64),
        count=np.bincount(owner)[:, None].astype(np.float64),
        weight=np.ones(1),
        extreme=np.ones(1),
        part=1.0,
        moved=np.asarray([len(np.unique(owner))]),
    )


def _unanimous(sums: Sums, value: float, cases: int, alpha: float, *, lowest: float) -> Bound:
    """All cases have one value: at most 1 - alpha^(1/patients) of the patients depart from it, to either end."""
    groups = len(sums.total)
    departing = min(1.0, (1.0 - alpha ** (1.0 / groups)) * groups * sums.largest_share())
    return Bound(
        estimate=value,
        low=value - departing * (value - lowest),
        high=value + departing * (1.0 - value),
        cases=cases,
        patients=groups,
        method=IntervalMethod.EXACT,
    )


def _effective_cases(sums: Sums, share: float, cases: int, alpha: float) -> float:
    """How many independent cases would know the share as well; never more than there are."""
    ratio = student.ppf(1.0 - alpha, cases - 1) / student.ppf(1.0 - alpha, len(sums.total) - 1)
    variance = max(sums.error() ** 2, share * (1.0 - share) / cases)
    return float(share * (1.0 - share) / variance * min(ratio, 1.0) ** 2)


def _check(values: FloatArray, patients: Sequence[str], alpha: float) -> None:
    check_level(alpha)
    if len(values) == 0:
        raise NotEvaluatedError("There are no cases to judge.", remedy="Measure the cases first.")
    if values.ndim != 1 or len(values) != len(patients):
        raise InputError("Values and patients do not fit.", remedy="Give one value and one patient a case.")
    if not np.isfinite(values).all():
        raise NotEvaluatedError(
            "Some values are NaN or infinite.", remedy="Measure again with weights that are finite."
        )
    if np.abs(values).max() > 1.0:
        raise InputError("Values lie outside [-1, 1].", remedy="Scale them: the widest bound is known only there.")
