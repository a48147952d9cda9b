"""Pure numbers: metrics of scores, and how far two models may really differ.

Nothing here knows what a case, a gate or a margin is, so every figure can be checked against a slow
and obvious implementation.
"""

from __future__ import annotations

from maintain.statistics.calibration import ECE_BINS, brier, calibration_error, calibration_slope
from maintain.statistics.changes import churn, new_misses
from maintain.statistics.intervals import PairedDifference, paired_bound
from maintain.statistics.jackknife import jackknife_bound
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
from maintain.statistics.operating import balanced_share_right, share_right
from maintain.statistics.roc import finding_roc_area, roc_area, sensitivity_at, specificity_at
from maintain.statistics.sandwich import FEWEST_DISCORDANT, IntervalMethod
from maintain.statistics.scored import Scored, WeightedFigure, difference, findings_scored, softmax_scored
from maintain.statistics.shares import Bound, mean_bound, share_bound

__all__ = [
    "ECE_BINS",
    "FEWEST_DISCORDANT",
    "Bound",
    "IntervalMethod",
    "Metric",
    "PairedDifference",
    "Scored",
    "WeightedFigure",
    "accuracy",
    "auroc",
    "balanced_accuracy",
    "balanced_share_right",
    "brier",
    "calibration_error",
    "calibration_slope",
    "churn",
    "decisions",
    "difference",
    "finding_roc_area",
    "findings_scored",
    "jackknife_bound",
    "log_odds",
    "mean_bound",
    "new_misses",
    "paired_bound",
    "placements",
    "point_estimate",
    "roc_area",
    "sensitivity_at",
    "share_bound",
    "share_right",
    "softmax_scored",
    "specificity_at",
]
