"""Pictures as the scores see them: grey, square and of one size, whatever the camera wrote."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.float64]

#: The side in pixels to which a picture is shrunk before its appearance is measured.
SIDE = 32

_WHITE = 255.0


def grey(pixels: NDArray[np.uint8]) -> Grey:
    """The mean over the channels of a picture [height, width, channels], from 0 to 1."""
    return np.asarray(pixels.mean(axis=2, dtype=np.float64) / _WHITE)


def shrunk(picture: Grey, side: int = SIDE) -> Grey:
    """The middle square of a grey picture as side x side pixels, each the mean of the area it covers.

    A smaller picture is enlarged: a pixel then covers part of one.
    """
    height, width = picture.shape
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    middle = picture[top : top + square, left : left + square]
    weights = _coverage(square, side)
    return np.asarray(weights @ middle @ weights.T)


def centre_distance(side: int) -> Grey:
    """How far each pixel lies from the centre of a square picture, in sides."""
    rows, columns = (np.mgrid[:side, :side] - (side - 1) / 2.0) / side
    return np.asarray(np.hypot(rows, columns))


# --- private ---------------------------------------------------------------------------------------


def _coverage(many: int, few: int) -> Grey:
    """What part of each of the few cells each of the many covers: rows [few, many] that sum to one."""
    edges = np.linspace(0.0, many, few + 1)
    starts = np.arange(many, dtype=np.float64)
    overlap = np.minimum(edges[1:, None], starts + 1.0) - np.maximum(edges[:-1, None], starts)
    covered = np.clip(overlap, 0.0, None)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True))
