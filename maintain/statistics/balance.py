"""Whether two arms are alike in what the model did not choose, and weights that make their labels alike.

A second arm with another mix of labels differs from the first by the mix alone: the sum of (share difference
x figure of the class). Power study, section 6, flaw 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray

#: Labels by name or by number.
Labels: TypeAlias = Sequence[str] | Sequence[int] | IntArray

#: Spreads below this share of the size of the values are rounding.
CONSTANT = 1e-9


def standard_weights(first_labels: Labels, second_labels: Labels) -> FloatArray:
    """A weight a case of the second arm, mean 1, by which its labels are mixed as in the first.

    Raises `NotEvaluatedError` when an arm is empty, or a label of the first has no case in the second.
    """
    if len(first_labels) == 0 or len(second_labels) == 0:
        raise NotEvaluatedError("An arm has no cases.", remedy="Measure cases of both arms first.")
    first, second = np.asarray(first_labels), np.asarray(second_labels)
    absent = len(np.setdiff1d(first, second))
    if absent:
        raise NotEvaluatedError(
            f"{absent} labels of the first arm have no case in the second, so no weighting makes the arms alike.",
            remedy="Bring in cases of these labels, or judge a cohort that both arms cover.",
        )
    labels, label = np.unique(second, return_inverse=True)
    wanted = np.array([np.mean(first == name) for name in labels])
    weights: FloatArray = (wanted / (np.bincount(label) / len(second)))[label]
    return weights


def effective_size(weights: FloatArray) -> float:
    """How many equal cases weigh as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    _check_weights(weights)
    return float(weights.sum() ** 2 / np.square(weights).sum())


def standardised_difference(first: FloatArray, second: FloatArray, weights: FloatArray) -> float:
    """The first mean less the second, weighted, in standard deviations: root of the mean of both variances.

    Austin 2009, doi:10.1002/sim.3697. Raises `NotEvaluatedError` where values are no numbers, or differ
    though neither arm varies.
    """
    _check_weights(weights)
    if first.ndim != 1 or second.shape != weights.shape:
        raise InputError("Values and weights do not fit.", remedy="Give one value a case and one weight a second case.")
    if len(first) == 0:
        raise NotEvaluatedError("An arm has no cases.", remedy="Measure cases of both arms first.")
    if not np.isfinite(first).all() or not np.isfinite(second).all():
        raise NotEvaluatedError("Some values are NaN or infinite.", remedy="Leave the column out of the balance.")
    mean = float(weights @ second / weights.sum())
    variance = float(weights @ np.square(second - mean) / weights.sum())
    gap, spread = float(first.mean()) - mean, float(np.sqrt((first.var() + variance) / 2.0))
    rounding = CONSTANT * max(float(np.abs(first).max()), float(np.abs(second).max()))
    if abs(gap) <= rounding:
        return 0.0
    if spread <= rounding:
        raise NotEvaluatedError(
            "Neither arm varies, yet they differ: no standard deviation measures that.",
            remedy="Judge a cohort in which the arms overlap.",
        )
    return gap / spread


# --- private ---------------------------------------------------------------------------------------


def _check_weights(weights: FloatArray) -> None:
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0.0).any():
        raise InputError("A weight is negative or no number.", remedy="Give one weight a case, from 0 on.")
    if not weights.any():
        raise NotEvaluatedError("No case has weight.", remedy="Measure cases of both arms first.")
