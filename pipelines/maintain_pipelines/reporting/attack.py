"""The membership attack as curves: the very scores of the gate, so the areas under them are its figures."""

from __future__ import annotations

import numpy as np

from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence
from maintain.gates.arms import arms_of
from maintain.gates.options import MEMBERSHIP_MARGIN
from maintain.hashing import Digest
from maintain.report import Attack, Curve, Estimate
from maintain.statistics import BEHAVIOUR_ALPHA, Arm, calibrated_auc, calibrated_auc_power
from maintain.statistics.arms import Calibrated, calibrated_pair
from maintain.statistics.metrics import FloatArray

#: A curve is drawn through so many points at most: more cannot be seen, and fewer say less of single cases.
MOST_POINTS = 101


def attack_of(evidence: Evidence) -> Attack:
    """Both versions attacked, by the gate's own arms.

    Raises `NotEvaluatedError` where these are too small or too different, or lack difficulty.
    """
    arms = arms_of(evidence, calibrated_auc_power, margin=MEMBERSHIP_MARGIN)
    if arms.unbalanced:
        raise NotEvaluatedError(arms.unbalanced, remedy="Judge on cases that are alike in difficulty.")

    def curve(weights: Digest) -> Curve:
        return _curve(*arms.margins(evidence, weights))

    first, second = arms.sides.sizes()
    return Attack(
        forgotten=first.cases,
        never_seen=second.cases,
        champion=curve(evidence.plan.champion.weights),
        candidate=curve(evidence.candidate.weights),
    )


# --- private ---------------------------------------------------------------------------------------


def _curve(forgotten: Arm, never_seen: Arm) -> Curve:
    found = calibrated_auc(forgotten, never_seen, alpha=BEHAVIOUR_ALPHA)
    ours, theirs = calibrated_pair(forgotten, never_seen, BEHAVIOUR_ALPHA)
    thresholds = np.unique(np.concatenate([ours.values, theirs.values]))
    points = np.stack([_above(theirs, thresholds), _above(ours, thresholds)], axis=1)[::-1]
    points = np.concatenate([[[0.0, 0.0]], points])
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).round().astype(np.int64))
    told = tuple((round(float(x), 4), round(float(y), 4)) for x, y in points[kept])
    return Curve(told, Estimate(found.estimate, found.low, found.high))


def _above(arm: Calibrated, thresholds: FloatArray) -> FloatArray:
    """The weighted share of an arm at or above each threshold."""
    order = np.argsort(arm.values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(arm.weights[order])])
    share: FloatArray = 1.0 - below[np.searchsorted(arm.values[order], thresholds, side="left")] / below[-1]
    return share
