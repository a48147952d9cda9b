"""How far two models may really differ, from paired answers on cases clustered by patient.

Accuracy is the mean of one stratum, balanced accuracy of one for each class, AUROC of a class and its
complement for each class; the sandwich does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maintain.errors import InputError
from maintain.statistics.metrics import (
    FloatArray,
    IntArray,
    Metric,
    check_scored,
    counted_classes,
    decisions,
    placements,
    point_estimate,
)
from maintain.statistics.sandwich import IntervalMethod, Sums, bounds, check_level, numbered


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
    classes: tuple[int, ...] | None = None,
) -> PairedDifference:
    """The difference `after - before` of a metric on the same cases, bounded at one-sided level `alpha`.

    `classes` are those that balanced accuracy and AUROC average over; only classes without a case may be
    left out. Raises `NotEvaluatedError` where the metric does not exist or there is but one patient.
    """
    _check(labels, before, after, patients, alpha)
    chosen = counted_classes(metric, labels, before.shape[1], classes)
    change = (decisions(after) == labels).astype(np.float64) - (decisions(before) == labels)
    owner = numbered(patients)
    discordant = len(np.unique(owner[change != 0.0]))
    sums = _sums(metric, labels, before, after, change, owner, chosen)
    first, second = (point_estimate(metric, labels, scores, classes=chosen) for scores in (before, after))
    found = bounds(sums, second - first, discordant=discordant, alpha=alpha)
    return PairedDifference(
        estimate=second - first,
        low=max(found.low, -1.0),
        high=min(found.high, 1.0),
        standard_error=found.standard_error,
        df=len(sums.total) - 1,
        cases=len(labels),
        patients=len(sums.total),
        discordant_patients=discordant,
        method=found.method,
    )


# --- private ---------------------------------------------------------------------------------------


def _sums(
    metric: Metric,
    labels: IntArray,
    before: FloatArray,
    after: FloatArray,
    change: FloatArray,
    owner: IntArray,
    classes: tuple[int, ...],
) -> Sums:
    """Strata: all cases; the cases of each class; or, for AUROC, each class and its complement."""
    number = len(classes)
    if metric is Metric.ACCURACY:
        strata, values, extremes, share = [np.ones(len(labels), dtype=np.bool_)], [change], [1.0], 1.0
    elif metric is Metric.BALANCED_ACCURACY:
        strata = [labels == k for k in classes]
        values, extremes, share = [change] * number, [1.0] * number, 1.0 / number
    else:
        arms = [labels == k for k in classes]
        moved = [
            placements(arm, after[:, k]) - placements(arm, before[:, k]) for k, arm in zip(classes, arms, strict=True)
        ]
        strata = arms + [~arm for arm in arms]
        values, share = moved + moved, 1.0 / number
        # A case that loses everything gives its probability to one of the other classes.
        extremes = [1.0] * number + [1.0 / (number - 1)] * number
    patients = int(owner.max()) + 1
    pairs = list(zip(strata, values, strict=True))
    return Sums(
        total=np.stack([np.bincount(owner[s], weights=v[s], minlength=patients) for s, v in pairs], axis=1),
        count=np.stack([np.bincount(owner[s], minlength=patients) for s in strata], axis=1).astype(np.float64),
        weight=np.full(len(strata), share),
        extreme=np.asarray(extremes),
        part=0.5 if metric is Metric.AUROC else 1.0,
        moved=np.asarray([len(np.unique(owner[s & (v != 0.0)])) for s, v in pairs]),
    )


def _check(labels: IntArray, before: FloatArray, after: FloatArray, patients: Sequence[str], alpha: float) -> None:
    check_scored(labels, before)
    check_scored(labels, after)
    if before.shape != after.shape or len(patients) != len(labels):
        raise InputError(
            "The two models were not measured on the same cases and classes.",
            remedy="Pair the measurements by case before comparing them.",
        )
    check_level(alpha)
