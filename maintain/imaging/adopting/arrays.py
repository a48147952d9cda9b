"""Arrays that somebody else preprocessed -> 8-bit pictures and the steps that give the network its numbers back.

The cache of pixels holds 8 bits. Floats are laid over that range from their least to their greatest value, so each is
off by at most a 510th of it; outputs compared with production's show whether that matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from maintain.errors import InputError
from maintain.imaging.transforms import Chain
from maintain.records import Setting, Step

#: Largest stored pixel.
WHITE = 255

#: Channels that a picture may have; the axis with one of these, the last first, is taken for that of channels.
CHANNELS = (1, 3)

#: Largest file that is read: a float64 picture of 4,000 pixels a side and three channels.
LARGEST_BYTES = 400 << 20


@dataclass(frozen=True, slots=True)
class Levels:
    """How arrays became pictures: their least and greatest value, and how far rounding may move one."""

    least: float
    greatest: float
    whole: bool

    @property
    def rounding(self) -> float:
        """The most that a value moved; none where arrays were 8-bit already."""
        return 0.0 if self.whole else (self.greatest - self.least) / (2 * WHITE)

    def steps(self) -> tuple[Step, ...]:
        """From a picture to the values that the arrays held."""
        span = (self.greatest - self.least) or 1.0
        undo = Step("standardise", 1, (Setting("mean", -self.least / span), Setting("std", 1.0 / span)))
        return Chain((Step("to-float", 1), undo)).steps

    def picture(self, array: NDArray[np.generic]) -> NDArray[np.uint8]:
        """The picture of one array, channels last."""
        laid = _channels_last(array)
        if self.whole:
            return np.ascontiguousarray(laid, dtype=np.uint8)
        span = (self.greatest - self.least) or 1.0
        shares = (laid.astype(np.float64) - self.least) / span
        return np.ascontiguousarray(np.rint(shares * WHITE).astype(np.uint8))


def levels_of(paths: Iterable[Path]) -> Levels:
    """What all the arrays span. Raises `InputError` for one that is none, or unlike the first."""
    least, greatest, first = np.inf, -np.inf, None
    for path in paths:
        array = read_array(path)
        kind = (array.shape, array.dtype == np.uint8)
        first = first or kind
        if kind != first:
            raise _refused("differ in shape or in kind", "Give arrays of one size, all uint8 or all floats.")
        least, greatest = min(least, float(array.min())), max(greatest, float(array.max()))
    if first is None:
        raise _refused("are none", "Give one .npy file for each case.")
    return Levels(0.0, float(WHITE), whole=True) if first[1] else Levels(least, greatest, whole=False)


def read_array(path: Path) -> NDArray[np.generic]:
    """One array of numbers, never unpickled. Raises `InputError` for anything else."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _refused("hold one that is too large", f"A picture here has at most {LARGEST_BYTES >> 20} MiB.")
        array = np.load(path, allow_pickle=False, mmap_mode=None)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise _refused("hold one that is no whole .npy file of numbers", "Write them with numpy.save.") from error
    if not isinstance(array, np.ndarray) or (array.dtype != np.uint8 and array.dtype.kind != "f") or not array.size:
        raise _refused("hold one that is neither uint8 nor floats", "Write pictures as uint8 or float32.")
    if not np.isfinite(array).all():
        raise _refused("hold one with NaN or infinity", "Look at the preprocessing that made it.")
    _channels_last(array)
    return array


def shape_after(steps: tuple[Step, ...], picture: NDArray[np.uint8]) -> tuple[int, ...]:
    """The shape (channels, height, width) that a network reads after these steps.

    Raises `InputError` where rows and columns change places and are not as many.
    """
    batch = torch.from_numpy(np.array(picture[None]))
    shape = tuple(Chain(steps).apply(batch).shape[1:])
    if any(step.name == "transpose" for step in steps) and shape[1] != shape[2]:
        raise InputError("Transposed pictures that are no squares are not read here.", remedy="Resize them to squares.")
    return shape


# --- private ---------------------------------------------------------------------------------------


def _channels_last(array: NDArray[np.generic]) -> NDArray[np.generic]:
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim == 3 and array.shape[2] in CHANNELS:
        return array
    if array.ndim == 3 and array.shape[0] in CHANNELS:
        return np.moveaxis(array, 0, 2)
    raise _refused("hold one that is no picture", "Give (height, width), or that with 1 or 3 channels first or last.")


def _refused(what: str, remedy: str) -> InputError:
    return InputError(f"The arrays {what}.", remedy=remedy)
