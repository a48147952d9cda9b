"""How good decisions are where the model is used: at the operating threshold, or by the largest score.

The weighted forms of accuracy and balanced accuracy, for every head; findings are judged one by one and
averaged.
"""

from __future__ import annotations

import numpy as np

from maintain.statistics.scored import BoolArray, Scored, WeightedFigure, mean_over_columns, weighted_mean


def share_right(scored: Scored) -> WeightedFigure:
    """The share of right decisions: accuracy, the mean over findings."""
    if scored.exclusive:
        return lambda weights: weighted_mean(scored.right, weights)
    return mean_over_columns(scored, lambda column: _share(scored.right[:, column], scored.known[:, column]))


def balanced_share_right(scored: Scored) -> WeightedFigure:
    """The mean over classes of the share of right decisions within; of a finding, with it and without.

    Raises `NotEvaluatedError` when a class has no case.
    """
    if scored.exclusive:
        return mean_over_columns(scored, lambda column: _share(scored.right, scored.truth[:, column]))
    return mean_over_columns(scored, lambda column: _both_arms(scored, column))


# --- private ---------------------------------------------------------------------------------------


def _share(right: BoolArray, among: BoolArray) -> WeightedFigure:
    return lambda weights: weighted_mean(right[among], weights[among])


def _both_arms(scored: Scored, column: int) -> WeightedFigure:
    known, truth, right = scored.known[:, column], scored.truth[:, column], scored.right[:, column]
    arms = (_share(right, known & truth), _share(right, known & ~truth))
    return lambda weights: float(np.mean([arm(weights) for arm in arms]))
