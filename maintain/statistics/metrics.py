"""Point estimates of how well scores agree with labels: accuracy, balanced accuracy, AUROC.

Scores are an array of (cases, classes), labels are class numbers. A figure that cannot be computed
(no cases, a class without cases) raises `NotEvaluatedError`; it is never replaced by a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias

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


def point_estimate(
    metric: Metric, labels: IntArray, scores: FloatArray, *, classes: tuple[int, ...] | None = None
) -> float:
    """One metric of one model. Raises `NotEvaluatedError` where it does not exist."""
    if metric is Metric.ACCURACY:
        return accuracy(labels, scores)
    return _MEANS_OVER_CLASSES[metric](labels, scores, classes=classes)


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


def balanced_accuracy(labels: IntArray, scores: FloatArray, *, classes: tuple[int, ...] | None = None) -> float:
    """The mean over classes of the share of right decisions within the class."""
    check_scored(labels, scores)
    chosen = counted_classes(Metric.BALANCED_ACCURACY, labels, scores.shape[1], classes)
    right = decisions(scores) == labels
    return float(np.mean([np.mean(right[labels == k]) for k in chosen]))


def auroc(labels: IntArray, scores: FloatArray, *, classes: tuple[int, ...] | None = None) -> float:
    """The mean over classes of P(score of a case of the class > score of another case), ties half."""
    check_scored(labels, scores)
    chosen = counted_classes(Metric.AUROC, labels, scores.shape[1], classes)
    return float(np.mean([np.mean(placements(labels == k, scores[:, k])[labels == k]) for k in chosen]))


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


def counted_classes(
    metric: Metric, labels: IntArray, width: int, classes: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """The classes a mean goes over: all, or those named when the others have no case.

    Raises `InputError` when a class with cases is left out, `NotEvaluatedError` when a class counted has
    none or only one is left. Accuracy needs no class to have cases.
    """
    chosen = tuple(range(width)) if classes is None else classes
    if sorted(set(chosen)) != list(chosen) or not set(chosen) <= set(range(width)):
        raise InputError("The classes that count are not ascending class numbers.", remedy="Name each class once.")
    present = set(np.unique(labels).tolist())
    if present - set(chosen):
        raise InputError(
            "A class that has cases would be left out of the figure.",
            remedy="Leave out only classes that no case has.",
        )
    empty = len(set(chosen) - present)
    if metric is not Metric.ACCURACY and (empty or len(chosen) < 2):
        raise NotEvaluatedError(
            f"{empty} of {len(chosen)} classes have no case, so no mean over classes exists."
            if empty
            else "All cases are of one class, so nothing is known about telling it from others.",
            remedy="Bring in cases of every class, or judge by a figure that needs none.",
        )
    return chosen


# --- private ---------------------------------------------------------------------------------------


class _MeanOverClasses(Protocol):
    def __call__(self, labels: IntArray, scores: FloatArray, *, classes: tuple[int, ...] | None = None) -> float: ...


_MEANS_OVER_CLASSES: Mapping[Metric, _MeanOverClasses] = {
    Metric.BALANCED_ACCURACY: balanced_accuracy,
    Metric.AUROC: auroc,
}
