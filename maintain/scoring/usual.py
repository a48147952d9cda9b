"""What is usual within a stratum, and how far from it each case lies: by medians, which odd cases do not move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError

FloatArray: TypeAlias = NDArray[np.float64]

#: Makes a median absolute deviation the standard deviation of a normal distribution.
NORMAL_DEVIATION = 1.4826

#: Cases below which a stratum has no middle of its own and is held against all cases.
SMALLEST_STRATUM = 30


def in_deviations(
    figures: FloatArray,
    strata: Sequence[str],
    *,
    least: FloatArray | None = None,
    usual: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Each column of `figures` [cases, columns] in robust deviations from the median of the case's stratum.

    `least` is for each column the smallest spread that means anything. `usual` are the cases by which a
    stratum is known; without it, or where they are too few, all of it. Raises `NotEvaluatedError` where
    there is no spread at all.
    """
    centred = np.empty_like(figures)
    for mine, held_against in _groups(strata):
        known = figures[_known(held_against, usual)]
        centred[mine] = (figures[mine] - np.median(known, axis=0)) / _spread(known, least)
    return centred


def from_middle(figures: FloatArray, strata: Sequence[str]) -> FloatArray:
    """Each column of `figures` [cases, columns] less the median of the case's stratum, on its own scale."""
    centred = np.empty_like(figures)
    for mine, held_against in _groups(strata):
        centred[mine] = figures[mine] - np.median(figures[held_against], axis=0)
    return centred


# --- private ---------------------------------------------------------------------------------------


def _groups(strata: Sequence[str]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The cases of each stratum, and those it is held against: itself, or all where it is too small."""
    names, place, counts = np.unique(np.asarray(strata), return_inverse=True, return_counts=True)
    group = np.where(counts[place] >= SMALLEST_STRATUM, place, len(names))
    for number in np.unique(group):
        mine = group == number
        yield mine, mine if number < len(names) else np.ones_like(mine)


def _known(stratum: NDArray[np.bool_], usual: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """The usual cases of a stratum, or all of it where they are fewer than half of the smallest."""
    if usual is None or 2 * np.count_nonzero(stratum & usual) < SMALLEST_STRATUM:
        return stratum
    return stratum & usual


def _spread(figures: FloatArray, least: FloatArray | None) -> FloatArray:
    spread = NORMAL_DEVIATION * np.median(np.abs(figures - np.median(figures, axis=0)), axis=0)
    if least is not None:
        return np.asarray(np.maximum(spread, least))
    if not (spread > 0.0).all():
        raise NotEvaluatedError(
            "More than half of the cases are the same in some figure, so there is no usual spread.",
            remedy="Score other images: those of one kind must not all be copies or blank.",
        )
    return np.asarray(spread)
