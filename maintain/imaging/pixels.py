"""Pixels as a port: whatever can give images by digest, and an in-memory one for tests and toys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from maintain.arrays import pixels_digest
from maintain.errors import InputError
from maintain.hashing import Digest


class PixelSource(Protocol):
    """Whatever can give images by digest; `maintain.arrays.ArrayStore` is the real one."""

    def load(self, digests: Sequence[Digest], /) -> NDArray[np.uint8]:
        """The images of these digests, stacked as [N, height, width, channels]."""
        ...


class MemoryPixels:
    """Images held in memory, under the digests that `ArrayStore` would give them."""

    def __init__(self) -> None:
        self._images: dict[Digest, NDArray[np.uint8]] = {}

    def put(self, image: NDArray[np.uint8]) -> Digest:
        """Keep one [height, width, channels] image and return its digest."""
        digest = pixels_digest(image)
        self._images[digest] = image.copy()
        return digest

    def load(self, digests: Sequence[Digest], /) -> NDArray[np.uint8]:
        """The images of these digests, stacked. Raises `InputError` for one that was never put."""
        missing = sum(digest not in self._images for digest in digests)
        if missing or not digests:
            raise InputError(
                f"{missing} of {len(digests)} images are not in memory.",
                remedy="Put every image before loading it.",
            )
        return np.stack([self._images[digest] for digest in digests])


def load_images(pixels: PixelSource, digests: Sequence[Digest]) -> torch.Tensor:
    """The images as one uint8 tensor [N, height, width, channels], owned by the caller."""
    return torch.from_numpy(np.array(pixels.load(digests), dtype=np.uint8, order="C"))
