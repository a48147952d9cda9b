"""Pure numbers: metrics of scores, and how far two models may really differ.

Nothing here knows what a case, a gate or a margin is, so every figure can be checked against a slow
and obvious implementation.
"""

from __future__ import annotations

from maintain.statistics.intervals import PairedDifference, paired_bound
from maintain.statistics.metrics import (
    Metric,
    accuracy,
    auroc,
    balanced_accuracy,
    decisions,
    log_odds,
    placements,
    point_estimate,
)
from maintain.statistics.sandwich import FEWEST_DISCORDANT, IntervalMethod
from maintain.statistics.shares import Bound, mean_bound, share_bound

__all__ = [
    "FEWEST_DISCORDANT",
    "Bound",
    "IntervalMethod",
    "Metric",
    "PairedDifference",
    "accuracy",
    "auroc",
    "balanced_accuracy",
    "decisions",
    "log_odds",
    "mean_bound",
    "paired_bound",
    "placements",
    "point_estimate",
    "share_bound",
]
