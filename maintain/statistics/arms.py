"""How far two arms of cases differ: those a model is said to have forgotten, and those it never saw.

Patients are nested in arms, so the arms are independent and each has its own cluster sandwich. What
explains the values without the model (difficulty) is taken out by slopes pooled within the arms (ANCOVA),
and the uncertainty of these slopes is part of every bound. Power study, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.clustered import ArmScores, Bounds, bounds
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.statistics.sandwich import IntervalMethod, check_level

#: A covariate that varies less than this against its size is constant but for rounding.
CONSTANT = 1e-9

#: Directions of the covariates with less than this share of the largest spread are collinear: left out.
COLLINEAR = 1e-10


@dataclass(frozen=True, slots=True)
class Arm:
    """Cases of one arm. `limits` are the least and the most a value can be, where values are decisions."""

    values: FloatArray
    """(cases,): whether a decision was right (0 or 1), a contrast of such, or a margin."""
    patients: tuple[str, ...]
    covariates: FloatArray
    """(cases, k), k from 0: what explains the values without the model."""
    weights: FloatArray
    """(cases,), mean 1: standardises the labels of the second arm; ones in the first."""
    limits: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class ArmsDifference:
    """The first arm against the second. `low` and `high` are one-sided bounds, each at the same level.

    Cases and patients are those of each arm that have weight.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    df: float
    cases: tuple[int, int]
    patients: tuple[int, int]
    method: IntervalMethod


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One arm's values less what the slopes explain, and how far each case moved each slope (cases, k)."""

    raw: FloatArray
    values: FloatArray
    covariates: FloatArray
    weights: FloatArray
    owner: IntArray
    influence: FloatArray

    def mean(self, columns: FloatArray) -> FloatArray:
        """The weighted mean over the cases."""
        averaged: FloatArray = self.weights @ columns / self.weights.sum()
        return averaged


def adjusted_difference(first: Arm, second: Arm, *, alpha: float) -> ArmsDifference:
    """Mean of the first arm minus mean of the second, at equal covariates, bounded at one-sided level `alpha`.

    Raises `NotEvaluatedError` for values that are no numbers, an arm of fewer than two patients, and values
    that the covariates explain entirely; `InputError` for arms that do not fit.
    """
    ours, theirs = calibrated_pair(first, second, alpha)
    gradient = theirs.mean(theirs.covariates) - ours.mean(ours.covariates)
    limits = _limits(first, second, ours, theirs)
    parts = (_part(ours, gradient, limits, sign=1.0), _part(theirs, gradient, limits, sign=-1.0))
    estimate = float(ours.mean(ours.values) - theirs.mean(theirs.values))
    return difference(ours, theirs, bounds(estimate, parts, alpha=alpha))


def calibrated_pair(first: Arm, second: Arm, alpha: float) -> tuple[Calibrated, Calibrated]:
    """Two arms, checked against each other, less what the covariates explain within them."""
    check_level(alpha)
    arms = (checked(first), checked(second))
    if arms[0].covariates.shape[1] != arms[1].covariates.shape[1]:
        raise InputError("The two arms have different covariates.", remedy="Give both arms the same columns.")
    if set(arms[0].patients) & set(arms[1].patients):
        raise InputError("A patient is in both arms.", remedy="Give each patient to one arm.")
    for arm in arms:
        if len(set(arm.patients)) < 2:
            raise NotEvaluatedError(
                "All cases of an arm are of one patient, so nothing is known about the next one.",
                remedy="Judge on cases of more patients.",
            )
    ours, theirs = calibrated(*arms)
    return ours, theirs


def calibrated(*arms: Arm) -> tuple[Calibrated, ...]:
    """Arms less what the covariates explain within them: one weighted least squares slope a covariate for all.

    Covariates that are constant or repeat others are left out.
    """
    x = [centred(arm.covariates, arm.weights) for arm in arms]
    y = [centred(arm.values, arm.weights) for arm in arms]
    total = float(sum(arm.weights.sum() for arm in arms))
    spread = np.sqrt(sum(arm.weights @ np.square(c) for arm, c in zip(arms, x, strict=True)) / total)
    size = np.max([np.abs(arm.covariates).max(axis=0) for arm in arms], axis=0)
    per_unit = np.where(spread > CONSTANT * size, 1.0 / np.where(spread > 0.0, spread, 1.0), 0.0)
    z = [c * per_unit for c in x]
    products = sum(c.T @ (arm.weights[:, None] * c) for arm, c in zip(arms, z, strict=True))
    inverse = np.linalg.pinv(products, rcond=COLLINEAR, hermitian=True)
    scaled = inverse @ sum(c.T @ (arm.weights * v) for arm, c, v in zip(arms, z, y, strict=True))
    return tuple(
        Calibrated(
            raw=arm.values,
            values=arm.values - (arm.covariates * (scaled * per_unit)).sum(axis=1),
            covariates=arm.covariates,
            weights=arm.weights,
            owner=np.unique(np.asarray(arm.patients), return_inverse=True)[1],
            influence=(c * (arm.weights * (v - (c * scaled).sum(axis=1)))[:, None]) @ inverse * per_unit,
        )
        for arm, c, v in zip(arms, z, y, strict=True)
    )


def checked(arm: Arm) -> Arm:
    """The arm's cases that have weight. Raises where shapes do not fit, or a value is no number."""
    cases = len(arm.values)
    shapes = arm.values.ndim == 1 and arm.covariates.ndim == 2 and arm.weights.ndim == 1
    if not shapes or not len(arm.patients) == len(arm.covariates) == len(arm.weights) == cases:
        raise InputError(
            "Values, patients, covariates and weights of an arm do not fit.",
            remedy="Give one of each a case; covariates as (cases, columns), where columns may be 0.",
        )
    if not np.isfinite(arm.weights).all() or (arm.weights < 0.0).any():
        raise InputError("A weight is negative or no number.", remedy="Give weights from 0 on.")
    kept = arm.weights > 0.0
    if not kept.any():
        raise NotEvaluatedError("An arm has no cases.", remedy="Measure cases of both arms first.")
    if not np.isfinite(arm.values).all() or not np.isfinite(arm.covariates).all():
        raise NotEvaluatedError(
            "Some values are NaN or infinite.", remedy="Measure again with weights that are finite."
        )
    owners = tuple(owner for owner, keep in zip(arm.patients, kept, strict=True) if keep)
    return Arm(arm.values[kept], owners, arm.covariates[kept], arm.weights[kept], arm.limits)


def centred(columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Columns less their weighted mean."""
    found: FloatArray = columns - weights @ columns / weights.sum()
    return found


def difference(first: Calibrated, second: Calibrated, found: Bounds) -> ArmsDifference:
    """The bounds with what they rest on."""
    return ArmsDifference(
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        standard_error=found.standard_error,
        df=found.df,
        cases=(len(first.values), len(second.values)),
        patients=(int(first.owner.max()) + 1, int(second.owner.max()) + 1),
        method=found.method,
    )


# --- private ---------------------------------------------------------------------------------------


def _limits(first: Arm, second: Arm, *arms: Calibrated) -> tuple[float, float]:
    """The declared limits, or what goes beyond them."""
    low = min(*first.limits, *second.limits, *(float(arm.raw.min()) for arm in arms))
    high = max(*first.limits, *second.limits, *(float(arm.raw.max()) for arm in arms))
    return low, high


def _part(arm: Calibrated, gradient: FloatArray, limits: tuple[float, float], *, sign: float) -> ArmScores:
    """An added patient has the arm's mean covariates, so he moves no slope."""
    explained = float(arm.mean(arm.raw) - arm.mean(arm.values))
    return ArmScores(
        scores=arm.values,
        outcomes=arm.raw,
        weights=arm.weights,
        owner=arm.owner,
        drift=arm.influence @ gradient,
        extremes=(limits[0] - explained, limits[1] - explained),
        sign=sign,
    )
