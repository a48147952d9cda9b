"""What any threshold on the scores could do: the area under the ROC curve, and points on it.

One column against the others, the mean over columns; scores are sorted once and weights follow them.
Sensitivity at a specificity is the highest that a threshold reaches with at least that specificity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.statistics.scored import BoolArray, Scored, WeightedFigure, mean_over_columns

#: Shares are compared with this much room for the rounding of sums of weights.
ROUNDING = 1e-9


def roc_area(scored: Scored) -> WeightedFigure:
    """P(score of a case of the column > score of another case), ties half."""
    return mean_over_columns(scored, lambda column: _Curve.of(scored, column).area)


def finding_roc_area(scored: Scored, column: int) -> WeightedFigure:
    """The same of one class or finding."""
    return _Curve.of(scored, column).area


def sensitivity_at(scored: Scored, *, specificity: float) -> WeightedFigure:
    """The sensitivity at a fixed specificity."""
    _check(specificity)
    curves = [_Curve.of(scored, column) for column in scored.counted]
    return lambda weights: float(np.mean([curve.sensitivity(specificity, weights) for curve in curves]))


def specificity_at(scored: Scored, *, sensitivity: float) -> WeightedFigure:
    """The specificity at a fixed sensitivity."""
    _check(sensitivity)
    curves = [_Curve.of(scored, column) for column in scored.counted]
    return lambda weights: float(np.mean([curve.specificity(sensitivity, weights) for curve in curves]))


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """The labelled cases of a column by rising score: their places, truths, and where each tie begins."""

    order: IntArray
    positive: BoolArray
    starts: IntArray

    @classmethod
    def of(cls, scored: Scored, column: int) -> _Curve:
        known = np.flatnonzero(scored.known[:, column])
        order = known[np.argsort(scored.odds[known, column], kind="stable")]
        scores = scored.odds[order, column]
        starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]])) if len(order) else order
        if len(starts) < 2:
            raise NotEvaluatedError(
                "All cases have the same score, so none is ordered before another.",
                remedy="Look at the weights: a network that answers everything alike has learned nothing.",
            )
        return cls(order, scored.truth[order, column], starts)

    def masses(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The share of negatives and of positives at each distinct score, rising."""
        placed = weights[self.order]
        positives = placed * self.positive
        arms = (placed - positives, positives)
        if len(self.starts) < len(self.order):
            arms = (np.add.reduceat(arms[0], self.starts), np.add.reduceat(arms[1], self.starts))
        totals = [float(arm.sum()) for arm in arms]
        if not min(totals) > 0.0:
            raise NotEvaluatedError(
                "All cases are of one class, so nothing is known about telling it from others.",
                remedy="Bring in cases of every class.",
            )
        return arms[0] / totals[0], arms[1] / totals[1]

    def area(self, weights: FloatArray) -> float:
        negatives, positives = self.masses(weights)
        return float(positives @ (np.cumsum(negatives) - 0.5 * negatives))

    def sensitivity(self, specificity: float, weights: FloatArray) -> float:
        negatives, positives = self.masses(weights)
        last = np.searchsorted(np.cumsum(negatives), specificity - ROUNDING)
        return float(positives[last + 1 :].sum())

    def specificity(self, sensitivity: float, weights: FloatArray) -> float:
        negatives, positives = self.masses(weights)
        first = np.searchsorted(np.cumsum(positives[::-1]), sensitivity - ROUNDING)
        return float(negatives[::-1][first + 1 :].sum())


def _check(share: float) -> None:
    if not 0.0 < share < 1.0:
        raise InputError("A fixed share lies between 0 and 1.", remedy="Give for instance 0.90.")
