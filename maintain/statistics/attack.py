"""Telling forgotten from never-seen cases by a difficulty-calibrated value: the average leak, and its tail.

The value (a margin, say) less what covariates explain is the membership score; its AUC is .5 and its tail
share that of the second arm where nothing is left to tell (Watson et al. 2022, arXiv:2111.08440; tail: Carlini
et al. 2022, arXiv:2112.03570). Averages hide a memorised minority, hence the tail (power study, section 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.arms import (
    CONSTANT,
    Arm,
    ArmsDifference,
    Calibrated,
    calibrated,
    calibrated_pair,
    centred,
    checked,
    difference,
)
from maintain.statistics.clustered import ArmScores, bounds
from maintain.statistics.metrics import FloatArray

#: The quantile of never-seen cases above which a case is in the tail (DESIGN, section 7, gate membership).
TAIL_QUANTILE = 0.95


def calibrated_auc(first: Arm, second: Arm, *, alpha: float) -> ArmsDifference:
    """P(a case of the first arm has the higher calibrated value), ties half; .5 says that nothing tells them apart.

    Clustered placements of two independent arms (Obuchowski 1997, doi:10.2307/2533958). Raises
    `NotEvaluatedError` where values are no numbers or all alike, or an arm has fewer than two patients.
    """
    ours, theirs = _scored(first, second, alpha)
    placed, beaten = _placements(ours, theirs)
    estimate = float(ours.mean(placed))
    gradient = _gradient(ours, theirs, lambda one, other: float(one.mean(_placements(one, other)[0])))
    parts = (_part(ours, placed, gradient, sign=1.0), _part(theirs, beaten, gradient, sign=1.0))
    return _within_zero_and_one(difference(ours, theirs, bounds(estimate, parts, alpha=alpha)))


def tail_share(first: Arm, second: Arm, *, quantile: float = TAIL_QUANTILE, alpha: float) -> ArmsDifference:
    """The share of the first arm above the second arm's quantile of calibrated values; 1 - quantile is no leak.

    It is the difference of the two arms' shares above that value, plus 1 - quantile: so the bounds know that the
    quantile is estimated. Raises as `calibrated_auc`, and `NotEvaluatedError` where the second arm's own tail is
    less than half of what it should be: few cases, or ties.
    """
    if not 0.0 < quantile < 1.0:
        raise InputError("A quantile must lie between 0 and 1.", remedy="Give the quantile, for instance 0.95.")
    ours, theirs = _scored(first, second, alpha)
    inside, outside = _tails(ours, theirs, quantile)
    if theirs.mean(outside) <= (1.0 - quantile) / 2.0 + CONSTANT:
        raise NotEvaluatedError(
            "The second arm has too few cases above its own quantile, or too many tied with it, to tell a tail.",
            remedy="Bring in more never-seen cases, or judge by values that do not saturate.",
        )

    def excess(one: Calibrated, other: Calibrated) -> float:
        above, beyond = _tails(one, other, quantile)
        return float(one.mean(above) - other.mean(beyond))

    gradient = _gradient(ours, theirs, excess)
    pull = _pull(ours, theirs, quantile)
    parts = (_part(ours, inside, gradient, sign=1.0), _part(theirs, outside, gradient, sign=-pull))
    found = bounds(excess(ours, theirs) + 1.0 - quantile, parts, alpha=alpha)
    return _within_zero_and_one(difference(ours, theirs, found))


def explained_share(arm: Arm) -> float:
    """R^2: the share of the values' weighted variance that the covariates explain. Raises where nothing varies."""
    kept = checked(arm)
    (left,) = calibrated(kept)
    y = centred(kept.values, kept.weights)
    if np.abs(y).max() <= CONSTANT * np.abs(kept.values).max():
        raise NotEvaluatedError("All values are alike, so nothing is to be explained.", remedy="Judge other values.")
    rest = centred(left.values, kept.weights)
    return float(1.0 - (kept.weights @ np.square(rest)) / (kept.weights @ np.square(y)))


def difficulty_slope(arm: Arm, column: int) -> float:
    """By how much the value rises for one of the covariate, alone: a relabelled arm has lost it (about 0).

    Raises `InputError` for a column that is not there, `NotEvaluatedError` for one that does not vary.
    """
    kept = checked(arm)
    if not 0 <= column < kept.covariates.shape[1]:
        raise InputError("There is no such covariate.", remedy="Name a column of the covariates, from 0 on.")
    x = centred(kept.covariates[:, column], kept.weights)
    if np.abs(x).max() <= CONSTANT * np.abs(kept.covariates[:, column]).max():
        raise NotEvaluatedError("The covariate does not vary, so it has no slope.", remedy="Judge on other cases.")
    return float((kept.weights * x) @ kept.values / (kept.weights @ np.square(x)))


# --- private ---------------------------------------------------------------------------------------

_Figure: TypeAlias = Callable[[Calibrated, Calibrated], float]


def _scored(first: Arm, second: Arm, alpha: float) -> tuple[Calibrated, Calibrated]:
    ours, theirs = calibrated_pair(first, second, alpha)
    scores = np.concatenate([ours.values, theirs.values])
    size = max(float(np.abs(first.values).max()), float(np.abs(second.values).max()))
    if np.ptp(scores) <= CONSTANT * size:
        raise NotEvaluatedError("All values are tied, so they tell nothing apart.", remedy="Judge by other values.")
    return ours, theirs


def _placements(first: Calibrated, second: Calibrated) -> tuple[FloatArray, FloatArray]:
    """For each case the weighted share of the other arm that it is ordered rightly with, ties half."""
    return _below(first.values, second), 1.0 - _below(second.values, first)


def _below(values: FloatArray, arm: Calibrated) -> FloatArray:
    order = np.argsort(arm.values, kind="stable")
    ordered, weight = arm.values[order], np.concatenate([[0.0], np.cumsum(arm.weights[order])])
    low, high = (weight[np.searchsorted(ordered, values, side=side)] for side in ("left", "right"))
    share: FloatArray = (low + high) / (2.0 * weight[-1])
    return share


def _tails(first: Calibrated, second: Calibrated, quantile: float) -> tuple[FloatArray, FloatArray]:
    """Whether each case lies above the least value that `quantile` of the second arm do not exceed."""
    order = np.argsort(second.values, kind="stable")
    reached = np.cumsum(second.weights[order]) / second.weights.sum()
    limit = second.values[order][np.searchsorted(reached, quantile - CONSTANT)]
    return (first.values > limit).astype(np.float64), (second.values > limit).astype(np.float64)


def _pull(first: Calibrated, second: Calibrated, quantile: float) -> float:
    """By how much the first arm's share moves as the second's does: the ratio of their densities at the quantile.

    Counted between the quantiles that leave twice and half of the tail; never below 1, as with no leak.
    """
    tail = 1.0 - quantile
    wide, narrow = (_tails(first, second, max(1.0 - size, 0.0)) for size in (2.0 * tail, tail / 2.0))
    return max(float(first.mean(wide[0] - narrow[0]) / second.mean(wide[1] - narrow[1])), 1.0)


def _gradient(first: Calibrated, second: Calibrated, figure: _Figure) -> FloatArray:
    """How the figure moves with each slope: central differences over one standard error of the slope."""
    steps = np.sqrt(sum(_squared_sums(arm) for arm in (first, second)))
    gradient = np.zeros(len(steps))
    for column, step in enumerate(steps):
        if step > 0.0:
            up, down = (
                figure(_moved(first, column, change), _moved(second, column, change)) for change in (step, -step)
            )
            gradient[column] = (up - down) / (2.0 * step)
    return gradient


def _squared_sums(arm: Calibrated) -> FloatArray:
    sums = np.zeros((int(arm.owner.max()) + 1, arm.influence.shape[1]))
    np.add.at(sums, arm.owner, arm.influence)
    squared: FloatArray = np.square(sums).sum(axis=0)
    return squared


def _moved(arm: Calibrated, column: int, change: float) -> Calibrated:
    return replace(arm, values=arm.values - change * arm.covariates[:, column])


def _part(arm: Calibrated, scores: FloatArray, gradient: FloatArray, *, sign: float) -> ArmScores:
    return ArmScores(
        scores=scores,
        outcomes=scores,
        weights=arm.weights,
        owner=arm.owner,
        drift=arm.influence @ gradient,
        extremes=(0.0, 1.0),
        sign=sign,
    )


def _within_zero_and_one(found: ArmsDifference) -> ArmsDifference:
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))
