"""Pure numbers: metrics of scores, and how far two models, or two arms of cases, may really differ.

Nothing here knows what a case, a gate or a margin is, so every figure can be checked against a slow
and obvious implementation.
"""

from __future__ import annotations

from maintain.statistics.arms import Arm, ArmsDifference, adjusted_difference
from maintain.statistics.attack import TAIL_QUANTILE, calibrated_auc, difficulty_slope, explained_share, tail_share
from maintain.statistics.balance import effective_size, standard_weights, standardised_difference
from maintain.statistics.intervals import FEWEST_DISCORDANT, IntervalMethod, PairedDifference, paired_bound
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
from maintain.statistics.rank import patient_rank

__all__ = [
    "FEWEST_DISCORDANT",
    "TAIL_QUANTILE",
    "Arm",
    "ArmsDifference",
    "IntervalMethod",
    "LogisticModel",
    "Metric",
    "PairedDifference",
    "accuracy",
    "adjusted_difference",
    "auroc",
    "balanced_accuracy",
    "calibrated_auc",
    "decisions",
    "difficulty_slope",
    "effective_size",
    "explained_share",
    "fit_logistic",
    "log_odds",
    "paired_bound",
    "patient_rank",
    "placements",
    "point_estimate",
    "standard_weights",
    "standardised_difference",
    "tail_share",
]
