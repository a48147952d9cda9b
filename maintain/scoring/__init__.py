"""Scores of images: how good a picture is, and how far it lies from the others of its kind. No torch.

A score is a figure to select by, never a finding: which cases a policy means is still the policy's word.
"""

from __future__ import annotations

from maintain.scoring.appearance import APPEARANCE, appearance
from maintain.scoring.components import components
from maintain.scoring.histogram import Histogram, histogram
from maintain.scoring.outlier import FAR, outlier_scores
from maintain.scoring.pictures import SIDE, Grey, grey, shrunk
from maintain.scoring.quality import POOR, Quality, picture_quality, quality_scores
from maintain.scoring.scatter import Scatter, robust_scatter

__all__ = [
    "APPEARANCE",
    "FAR",
    "POOR",
    "SIDE",
    "Grey",
    "Histogram",
    "Quality",
    "Scatter",
    "appearance",
    "components",
    "grey",
    "histogram",
    "outlier_scores",
    "picture_quality",
    "quality_scores",
    "robust_scatter",
    "shrunk",
]
