"""What a picture looks like, in seven figures that neither its brightness nor its contrast can move.

The grey picture, shrunk to one size, loses its slow shading and is held to a few of its own standard
deviations: a lesion or a bright disc is then one blot, and what is left is grain and pattern. Figures
are shares of the power of the windowed spectrum, so a darker or flatter camera says the same.
"""

from __future__ import annotations

import itertools
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.scoring.pictures import SIDE, Grey, centre_distance
from maintain.scoring.usual import NORMAL_DEVIATION

FloatArray: TypeAlias = NDArray[np.float64]

#: Edges of the bands in cycles a picture: half octaves up to the finest that `SIDE` pixels can show. Slower
#: ones are lesions, which is what a diagnosis is about and no outlier.
BAND_EDGES = (2.83, 4.0, 5.66, 8.0, 11.3, 16.0)

#: The names of the figures, in the order of the columns.
APPEARANCE = (
    *(f"power {low:g} to {high:g}" for low, high in itertools.pairwise(BAND_EDGES)),
    "peak",
    "direction",
)


def appearance(pictures: Grey) -> FloatArray:
    """The figures [n, 7] of grey pictures [n, SIDE, SIDE].

    Columns: the log share of each band's power; the log of the strongest frequency over the mean one;
    and how far the power leans to one direction, |sum P exp(2i angle)| / sum P, from 0 to 1.
    """
    power = _spectrum(_flattened(pictures))
    whole = power[:, _between(_SLOWEST, BAND_EDGES[-1])].sum(axis=1)
    columns = []
    for low, high in itertools.pairwise(BAND_EDGES):
        band = power[:, _between(low, high)].mean(axis=1)
        columns.append(_log_ratio(band, whole))
    pattern = power[:, _PATTERN]
    columns.append(_log_ratio(pattern.max(axis=1), pattern.mean(axis=1)))
    lean = np.abs((pattern * np.exp(2j * _ANGLE[_PATTERN])).sum(axis=1))
    columns.append(lean / np.maximum(pattern.sum(axis=1), _LEAST_POWER))
    return np.stack(columns, axis=1)


# --- private ---------------------------------------------------------------------------------------

#: The slowest frequency that counts as power (cycles a picture); what is slower is shading.
_SLOWEST = 2.0
#: Within this distance of the centre (sides) every round field of view still shows the retina.
_REACH = 0.36
#: A pixel counts up to this many standard deviations of its picture: beyond is a lesion or the disc.
_MOST_DEVIATIONS = 1.5
#: Frequencies (cycles a picture) among which a pattern is looked for; slower ones are lesions and vessels.
_PATTERN_BAND = (4.0, 11.3)
#: Power below which a picture is blank: all shares are then those of an even spectrum.
_LEAST_POWER = 1e-9
_DISTANCE = centre_distance(SIDE)
_INSIDE = _DISTANCE < _REACH
_WINDOW = np.where(_INSIDE, np.cos(np.pi / 2.0 * np.clip(_DISTANCE / _REACH, 0.0, 1.0)) ** 2, 0.0)

_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE] - SIDE // 2
_RADIUS = np.hypot(_ROWS, _COLUMNS)
_ANGLE = np.arctan2(_ROWS, _COLUMNS)
#: Half of the plane: the spectrum of a real picture says everything twice.
_UPPER = (_ROWS > 0) | ((_ROWS == 0) & (_COLUMNS > 0))


def _between(low: float, high: float) -> NDArray[np.bool_]:
    """The frequencies of a band."""
    return np.asarray(np.greater_equal(_RADIUS, low) & np.less(_RADIUS, high))


_PATTERN = _between(*_PATTERN_BAND) & _UPPER


def _flattened(pictures: Grey) -> FloatArray:
    """Without shading (a plane and a bowl, by least squares), in robust deviations, held to the most of them."""
    place = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2.0) / SIDE
    design = np.stack([np.ones((SIDE, SIDE)), place[0], place[1], _DISTANCE**2], axis=-1)[_INSIDE]
    seen = pictures[:, _INSIDE]
    fitted, *_ = np.linalg.lstsq(design, seen.T, rcond=None)
    left = seen - (design @ fitted).T
    middle = np.median(left, axis=1, keepdims=True)
    spread = NORMAL_DEVIATION * np.median(np.abs(left - middle), axis=1, keepdims=True)
    held = np.clip((left - middle) / np.where(spread > 0.0, spread, 1.0), -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    flat = np.zeros_like(pictures)
    flat[:, _INSIDE] = held
    return flat


def _spectrum(pictures: FloatArray) -> FloatArray:
    """The power of each frequency, zero in the middle."""
    spectrum = np.fft.fftshift(np.fft.fft2(pictures * _WINDOW), axes=(1, 2))
    return np.asarray(np.abs(spectrum) ** 2)


def _log_ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.log(np.maximum(part, _LEAST_POWER) / np.maximum(whole, _LEAST_POWER))
