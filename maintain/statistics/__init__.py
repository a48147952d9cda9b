"""Pure numbers: metrics of scores, and how far two models may really differ.

Nothing here knows what a case, a gate or a margin is, so every figure can be checked against a slow
and obvious implementation.
"""

from __future__ import annotations

from maintain.statistics.intervals import FEWEST_DISCORDANT, IntervalMethod, PairedDifference, paired_bound
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

__all__ = [
    "FEWEST_DISCORDANT",
    "IntervalMethod",
    "Metric",
    "PairedDifference",
    "accuracy",
    "auroc",
    "balanced_accuracy",
    "decisions",
    "log_odds",
    "paired_bound",
    "placements",
    "point_estimate",
]
