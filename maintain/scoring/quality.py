"""How good a picture is as a picture: sharp, well lit, all of it in view. No reference is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError
from maintain.scoring.pictures import Grey
from maintain.scoring.usual import SMALLEST_STRATUM, in_deviations

FloatArray: TypeAlias = NDArray[np.float64]

#: Where a picture begins to be poor: as far below the usual as an outlier is above it.
POOR = -3.5


@dataclass(frozen=True, slots=True)
class Quality:
    """Three figures of one picture.

    `sharpness` is log10 of the variance of the Laplacian over the squared mean brightness, both in view;
    `exposure` the mean brightness in view, from 0 to 1; `field` the share of the picture that is in view.
    """

    sharpness: float
    exposure: float
    field: float


def picture_quality(picture: Grey) -> Quality:
    """The quality of one grey picture [height, width]; a black one has no field, and is as dull as can be."""
    view = picture > _DARK * np.percentile(picture, _BRIGHT_PERCENTILE)
    if not view.any():
        return Quality(sharpness=_DULLEST, exposure=0.0, field=0.0)
    exposure = float(picture[view].mean())
    inner = _surrounded(view)
    blur = float(_laplacian(picture)[inner].var()) if inner.any() else 0.0
    sharpness = max(_DULLEST, float(np.log10(max(blur / exposure**2, np.finfo(np.float64).tiny))))
    return Quality(sharpness=sharpness, exposure=exposure, field=float(view.mean()))


def quality_scores(pictures: Sequence[Quality], strata: Sequence[str]) -> FloatArray:
    """One score a picture: its worst figure in deviations from the usual of its stratum; far below 0 is poor.

    Less sharp and less in view are worse; too bright is as bad as too dark. Raises `NotEvaluatedError`
    where pictures are too few to say what is usual.
    """
    if len(pictures) < SMALLEST_STRATUM:
        raise NotEvaluatedError(
            f"{len(pictures)} images are too few to say what is usual; {SMALLEST_STRATUM} are needed.",
            remedy="Read in more images first.",
        )
    figures = np.array([(one.sharpness, one.exposure, one.field) for one in pictures])
    sharpness, exposure, field = in_deviations(figures, strata, least=_LEAST_SPREAD).T
    return np.asarray(np.minimum(np.minimum(sharpness, field), -np.abs(exposure)))


# --- private ---------------------------------------------------------------------------------------

#: A pixel is in view above this share of the brightness of the bright ones: surrounds are black, not grey.
_DARK = 0.15
_BRIGHT_PERCENTILE = 95.0
#: The sharpness of a picture without any edge; an 8-bit step is a hundred times more.
_DULLEST = -8.0
#: Differences of sharpness, exposure and field below which nobody sees one.
_LEAST_SPREAD = np.array([0.05, 0.01, 0.01])


def _laplacian(picture: Grey) -> FloatArray:
    """Each pixel's four neighbours less four times itself; zero at the rim."""
    edges = np.zeros_like(picture)
    edges[1:-1, 1:-1] = (
        picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:] - 4.0 * picture[1:-1, 1:-1]
    )
    return edges


def _surrounded(view: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels in view whose neighbours all are: the rim of the field is an edge of the camera, not of the eye."""
    inner = np.zeros_like(view)
    inner[1:-1, 1:-1] = view[1:-1, 1:-1] & view[:-2, 1:-1] & view[2:, 1:-1] & view[1:-1, :-2] & view[1:-1, 2:]
    return inner
