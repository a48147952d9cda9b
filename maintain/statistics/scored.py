"""The answers of one model for labelled cases, in one shape for every head.

A column is a class of a softmax head or a finding of a binary or multi-label head (binary: one column).
Figures read this shape and weights of cases alone, so that leaving patients out is setting weights to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray, Metric, check_scored, counted_classes, decisions, log_odds

BoolArray: TypeAlias = NDArray[np.bool_]

#: A figure of cases with weights. Raises `NotEvaluatedError` where it does not exist.
WeightedFigure: TypeAlias = Callable[[FloatArray], float]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Arrays of (cases, columns). `exclusive`: each case has exactly one column, the head is a softmax.

    `counted` are the columns that means over columns go over; `odds` order cases as probabilities do.
    """

    truth: BoolArray
    known: BoolArray
    odds: FloatArray
    probability: FloatArray
    decided: BoolArray
    exclusive: bool
    counted: tuple[int, ...]

    @property
    def right(self) -> BoolArray:
        """Which decisions are right, (cases,) of a softmax head and (cases, columns) of findings."""
        agree: BoolArray = self.decided == self.truth
        return np.logical_and.reduce(agree, axis=1) if self.exclusive else agree

    def evenly(self) -> FloatArray:
        """The same weight for each case."""
        return np.ones(len(self.truth))


def softmax_scored(labels: IntArray, logits: FloatArray, *, classes: tuple[int, ...] | None = None) -> Scored:
    """Answers of a softmax head, decided by the largest logit; `classes` as in `paired_bound`.

    Raises `InputError` when shapes do not fit, `NotEvaluatedError` without cases or with NaN.
    """
    check_scored(labels, logits)
    width = logits.shape[1]
    return Scored(
        truth=labels[:, None] == np.arange(width),
        known=np.ones(logits.shape, dtype=np.bool_),
        odds=log_odds(logits),
        probability=softmax(logits, axis=1),
        decided=decisions(logits)[:, None] == np.arange(width),
        exclusive=True,
        counted=counted_classes(Metric.ACCURACY, labels, width, classes),
    )


def findings_scored(labels: BoolArray, known: BoolArray, logits: FloatArray, *, threshold: float) -> Scored:
    """Answers of a binary or multi-label head, each finding decided by its probability against a threshold.

    Raises `InputError` when shapes do not fit, `NotEvaluatedError` without cases, with NaN or without labels.
    """
    if logits.ndim != 2 or not labels.shape == known.shape == logits.shape or logits.shape[1] == 0:
        raise InputError(
            "Labels, mask and scores do not fit: a row per case and a column per finding are needed.",
            remedy="Give three arrays of shape (cases, findings).",
        )
    if not 0.0 < threshold < 1.0:
        raise InputError("An operating threshold lies between 0 and 1.", remedy="Give a probability.")
    if not known.any():
        raise NotEvaluatedError("There are no labelled cases to judge.", remedy="Bring in cases with labels.")
    if not np.isfinite(logits).all():
        raise NotEvaluatedError(
            "Some scores are NaN or infinite.", remedy="Measure again with weights that are finite."
        )
    probability = expit(logits)
    return Scored(
        truth=labels.astype(np.bool_),
        known=known.astype(np.bool_),
        odds=logits.astype(np.float64),
        probability=probability,
        decided=probability >= threshold,
        exclusive=False,
        counted=tuple(range(logits.shape[1])),
    )


def difference(before: WeightedFigure, after: WeightedFigure) -> WeightedFigure:
    """The second figure minus the first, of the same cases with the same weights."""
    return lambda weights: after(weights) - before(weights)


def weighted_mean(values: FloatArray | BoolArray, weights: FloatArray) -> float:
    """A mean over cases. Raises `NotEvaluatedError` when no case is left."""
    return float(values @ weights) / total_of(weights)


def total_of(weights: FloatArray) -> float:
    """The sum of the weights. Raises `NotEvaluatedError` when no case is left."""
    total = float(weights.sum())
    if not total > 0.0:
        raise NotEvaluatedError(
            "No case is left for a class or a finding.", remedy="Judge on cases of more patients, or of every class."
        )
    return total


def mean_over_columns(scored: Scored, figure_of: Callable[[int], WeightedFigure]) -> WeightedFigure:
    """The mean over the counted columns of a figure of each, prepared once."""
    figures = [figure_of(column) for column in scored.counted]
    return lambda weights: float(np.mean([figure(weights) for figure in figures]))
