"""How far a case lies from the others of its kind: robust Mahalanobis distance, or distance to neighbours.

Columns are first centred and scaled within strata (a device, a class), so that what a stratum shares
is never the outlier. Scores are on the scale of a standard normal deviate: 3.5 is far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from maintain.errors import InputError, NotEvaluatedError
from maintain.scoring.scatter import robust_scatter
from maintain.scoring.usual import in_deviations
from maintain.vocabulary import OutlierMethod

FloatArray: TypeAlias = NDArray[np.float64]

#: Where a case begins to be far: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993).
FAR = 3.5

#: Cases a column, below which half of them do not span the columns well enough to be judged against.
CASES_A_COLUMN = 10

#: The share of all cases that are neighbours: groups smaller than it stay outliers however dense they are.
NEIGHBOUR_SHARE = 0.10


def outlier_scores(figures: FloatArray, strata: Sequence[str], *, method: OutlierMethod) -> FloatArray:
    """One score a row of `figures` [cases, columns]; larger is farther.

    Raises `InputError` for figures that are not finite, and `NotEvaluatedError` where cases are too few
    or too alike to say what is usual.
    """
    _refuse(figures, strata)
    return _METHODS[method](figures, strata)


# --- private ---------------------------------------------------------------------------------------

#: How often strata are centred anew. Twice raised the AUC of a share of 30 % on 1,200 images from .90 to .93.
_RECENTRED = 2


def _refuse(figures: FloatArray, strata: Sequence[str]) -> None:
    cases, columns = figures.shape
    if len(strata) != cases or not np.isfinite(figures).all():
        raise InputError(
            "The figures of the cases do not fit, or are not all finite.",
            remedy="Give one stratum and finite figures for each case.",
        )
    if cases < CASES_A_COLUMN * columns:
        raise NotEvaluatedError(
            f"{cases} cases are too few to say what is usual; {CASES_A_COLUMN * columns} are needed.",
            remedy="Read in more images first.",
        )


def _mahalanobis(figures: FloatArray, strata: Sequence[str]) -> FloatArray:
    """Distances within strata, whose middles are then those of the nearer half of the cases.

    Where a group is common it also moves the middle of a stratum; the nearer half hardly holds any of it.
    """
    scores = _distances(in_deviations(figures, strata))
    for _ in range(_RECENTRED):
        scores = _distances(in_deviations(figures, strata, usual=scores <= np.median(scores)))
    return scores


def _distances(figures: FloatArray) -> FloatArray:
    """The squared distance as a normal deviate (Wilson and Hilferty 1931): its chi-square, cube-rooted."""
    columns = figures.shape[1]
    noise = 2.0 / (9.0 * columns)
    cubes = np.cbrt(robust_scatter(figures).squared_distance(figures) / columns)
    return np.asarray((cubes - (1.0 - noise)) / np.sqrt(noise))


def _neighbours(figures: FloatArray, strata: Sequence[str]) -> FloatArray:
    """The log distance to the last neighbour, in robust deviations from its median over all cases."""
    within = in_deviations(figures, strata)
    last = max(1, round(NEIGHBOUR_SHARE * len(within)))
    distances, _ = cKDTree(within).query(within, k=[last + 1])
    logged = np.log(np.maximum(distances[:, :1], np.finfo(np.float64).tiny))
    return np.asarray(in_deviations(logged, [""] * len(logged))[:, 0])


_METHODS: Mapping[OutlierMethod, Callable[[FloatArray, Sequence[str]], FloatArray]] = MappingProxyType(
    {OutlierMethod.MAHALANOBIS: _mahalanobis, OutlierMethod.KNN: _neighbours}
)
