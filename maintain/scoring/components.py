"""Many figures of a case as few: principal components of directions, which no single far case can turn.

Each case counts by where it lies from the middle and not by how far (spherical principal components: Locantore
and others, Robust principal component analysis for functional data, Test 8 (1999)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.errors import InputError, NotEvaluatedError
from maintain.scoring.usual import from_middle

FloatArray: TypeAlias = NDArray[np.float64]

#: Cases a component. The hospitals' variants stood out most at 48 components of 1,200 images (docs/scores.md).
CASES_A_COMPONENT = 25

#: More components found no more on the hospitals, and the starts of the determinant take time with their square.
MOST_COMPONENTS = 48

#: Fewer components than this say too little of a layer to call anything its usual.
FEWEST_COMPONENTS = 2


def components(figures: FloatArray, strata: Sequence[str]) -> FloatArray:
    """The leading components [cases, k] of `figures` [cases, columns]: as many as the cases support and vary in.

    Raises `InputError` for figures that are not finite, and `NotEvaluatedError` where cases are too few or alike.
    """
    cases = len(figures)
    if len(strata) != cases or not np.isfinite(figures).all():
        raise InputError(
            "The figures of the cases do not fit, or are not all finite.",
            remedy="Give one stratum and finite figures for each case.",
        )
    supported = min(cases // CASES_A_COMPONENT, MOST_COMPONENTS)
    if supported < FEWEST_COMPONENTS:
        raise NotEvaluatedError(
            f"{cases} cases are too few to say what is usual; {FEWEST_COMPONENTS * CASES_A_COMPONENT} are needed.",
            remedy="Read in more images first.",
        )
    centred = from_middle(figures, strata)
    values, directions = _directions(centred)
    varying = int(np.count_nonzero(values > values.max(initial=0.0) * _FLAT))
    if varying < FEWEST_COMPONENTS:
        raise NotEvaluatedError(
            "The cases hardly differ in these figures, so there is no usual spread.",
            remedy="Score other images, or ask another model.",
        )
    return np.asarray(centred @ directions[:, : min(supported, varying)])


# --- private ---------------------------------------------------------------------------------------

#: Directions in which less than this share of the variance of the first one lies are rounding, not figures.
_FLAT = 1e-9


def _directions(centred: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variances and directions of the cases moved onto a sphere, largest first."""
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    on_sphere = centred / np.where(lengths > 0.0, lengths, 1.0)
    values, vectors = np.linalg.eigh(on_sphere.T @ on_sphere / len(centred))
    return values[::-1], vectors[:, ::-1]
