"""Pure numbers: metrics of scores, and how far two models, or two arms of cases, may really differ.

Nothing here knows what a case, a gate or a margin is, so every figure can be checked against a slow
and obvious implementation.
"""

from __future__ import annotations

from maintain.statistics.arms import Arm, ArmsDifference, adjusted_difference
from maintain.statistics.attack import TAIL_QUANTILE, calibrated_auc, difficulty_slope, explained_share, tail_share
from maintain.statistics.balance import effective_size, standard_weights, standardised_difference
from maintain.statistics.calibration import ECE_BINS, brier, calibration_error, calibration_slope
from maintain.statistics.changes import churn, new_misses
from maintain.statistics.intervals import PairedDifference, paired_bound
from maintain.statistics.jackknife import jackknife_bound
from maintain.statistics.logistic import LogisticModel, fit_logistic
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
from maintain.statistics.planned_errors import LIKELY
from maintain.statistics.power import (
    BEHAVIOUR_ALPHA,
    ArmSize,
    Power,
    adjusted_difference_power,
    calibrated_auc_power,
    mean_bound_power,
    paired_metrics_power,
    paired_power,
    share_bound_power,
    tail_share_power,
)
from maintain.statistics.rank import patient_rank
from maintain.statistics.roc import finding_roc_area, roc_area, sensitivity_at, specificity_at
from maintain.statistics.sandwich import FEWEST_DISCORDANT, IntervalMethod
from maintain.statistics.scored import Scored, WeightedFigure, difference, findings_scored, softmax_scored
from maintain.statistics.shares import Bound, mean_bound, share_bound

__all__ = [
    "BEHAVIOUR_ALPHA",
    "ECE_BINS",
    "FEWEST_DISCORDANT",
    "LIKELY",
    "TAIL_QUANTILE",
    "Arm",
    "ArmSize",
    "ArmsDifference",
    "Bound",
    "IntervalMethod",
    "LogisticModel",
    "Metric",
    "PairedDifference",
    "Power",
    "Scored",
    "WeightedFigure",
    "accuracy",
    "adjusted_difference",
    "adjusted_difference_power",
    "auroc",
    "balanced_accuracy",
    "balanced_share_right",
    "brier",
    "calibrated_auc",
    "calibrated_auc_power",
    "calibration_error",
    "calibration_slope",
    "churn",
    "decisions",
    "difference",
    "difficulty_slope",
    "effective_size",
    "explained_share",
    "finding_roc_area",
    "findings_scored",
    "fit_logistic",
    "jackknife_bound",
    "log_odds",
    "mean_bound",
    "mean_bound_power",
    "new_misses",
    "paired_bound",
    "paired_metrics_power",
    "paired_power",
    "patient_rank",
    "placements",
    "point_estimate",
    "roc_area",
    "sensitivity_at",
    "share_bound",
    "share_bound_power",
    "share_right",
    "softmax_scored",
    "specificity_at",
    "standard_weights",
    "standardised_difference",
    "tail_share",
    "tail_share_power",
]
