"""Point estimates of how well scores agree with labels: accuracy, balanced accuracy, AUROC.

Scores are an array of (cases, classes), labels are class numbers. A figure that cannot be computed
(no cases, a class without cases) raises `NotEvaluatedError`; it is never replaced by a default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import rankdata

from maintain.errors import InputError, NotEvaluatedError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


class Metric(StrEnum):
    """The figures by which a softmax head is judged."""

    ACCURACY = "accuracy"
    """The share of right decisions."""
    BALANCED_ACCURACY = "balanced accuracy"
    """The mean over classes of the share of right decisions within the class."""
    AUROC = "AUROC"
    """One class against the others, the mean over classes."""


def point_estimate(metric: Metric, labels: IntArray, scores: FloatArray) -> float:
    """One metric of one model. Raises `NotEvaluatedError` where it does not exist."""
    return _METRICS[metric](labels, scores)


def decisions(scores: FloatArray) -> IntArray:
    """The decision of a softmax head: the largest score, the first one of equals."""
    chosen: IntArray = np.argmax(scores, axis=1).astype(np.int64)
    return chosen


def log_odds(logits: FloatArray) -> FloatArray:
    """log(p / (1 - p)) of each class: orders cases as probabilities do, without their ceiling at 1."""
    classes = logits.shape[1]
    columns = [logits[:, k] - logsumexp(np.delete(logits, k, axis=1), axis=1) for k in range(classes)]
    return np.stack(columns, axis=1).astype(np.float64)


def accuracy(labels: IntArray, scores: FloatArray) -> float:
    """The share of right decisions."""
    check_scored(labels, scores)
    return float(np.mean(decisions(scores) == labels))


def balanced_accuracy(labels: IntArray, scores: FloatArray) -> float:
    """The mean over classes of the share of right decisions within the class."""
    check_scored(labels, scores)
    check_classes(labels, scores.shape[1])
    right = decisions(scores) == labels
    return float(np.mean([np.mean(right[labels == k]) for k in range(scores.shape[1])]))


def auroc(labels: IntArray, scores: FloatArray) -> float:
    """The mean over classes of P(score of a case of the class > score of another case), ties half."""
    check_scored(labels, scores)
    check_classes(labels, scores.shape[1])
    classes = range(scores.shape[1])
    return float(np.mean([np.mean(placements(labels == k, scores[:, k])[labels == k]) for k in classes]))


def placements(positive: NDArray[np.bool_], scores: FloatArray) -> FloatArray:
    """For each case the share of cases of the other arm that it is ordered rightly with, ties half.

    The mean over either arm is the AUROC; their spread gives its variance (DeLong 1988,
    doi:10.2307/2531595; clustered: Obuchowski 1997, doi:10.2307/2533958).
    """
    placed = np.empty(len(scores), dtype=np.float64)
    overall = rankdata(scores)
    for arm, sign in ((positive, 1.0), (~positive, -1.0)):
        beaten = (overall[arm] - rankdata(scores[arm])) / np.count_nonzero(~arm)
        placed[arm] = beaten if sign > 0 else 1.0 - beaten
    return placed


def check_scored(labels: IntArray, scores: FloatArray) -> None:
    """Raise unless there are cases, each with a known label and finite scores of two classes or more."""
    if len(labels) == 0:
        raise NotEvaluatedError("There are no cases to judge.", remedy="Measure the holdout first.")
    if scores.ndim != 2 or len(scores) != len(labels) or scores.shape[1] < 2:
        raise InputError(
            "Scores and labels do not fit: a row per case and a column per class are needed.",
            remedy="Give labels of shape (cases,) and scores of shape (cases, classes >= 2).",
        )
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise InputError("A label is no class of the scores.", remedy="Number classes from 0.")
    if not np.isfinite(scores).all():
        raise NotEvaluatedError(
            "Some scores are NaN or infinite.", remedy="Measure again with weights that are finite."
        )


def check_classes(labels: IntArray, classes: int) -> None:
    """Raise `NotEvaluatedError` when a class has no cases."""
    empty = classes - len(np.unique(labels))
    if empty:
        raise NotEvaluatedError(
            f"{empty} of {classes} classes have no case, so no mean over classes exists.",
            remedy="Bring in cases of every class, or judge by a figure that needs none.",
        )


# --- private ---------------------------------------------------------------------------------------

_METRICS: Mapping[Metric, Callable[[IntArray, FloatArray], float]] = {
    Metric.ACCURACY: accuracy,
    Metric.BALANCED_ACCURACY: balanced_accuracy,
    Metric.AUROC: auroc,
}
