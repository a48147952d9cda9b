"""Where a loader's images lie between batches: all on the device, or read as they are asked for.

Small images are kept as one tensor, because indexing it costs nothing; large ones would not fit, so
each batch is read by digest, the next one while the present one is learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.imaging.pixels import PixelSource, load_images

#: Images that take more than this are streamed: a training must stay well below 2 GiB beside its network.
RESIDENT_BYTES = 1 << 30
#: Images read at a time when a resident bank is filled, so that they are never in memory twice.
FILL_BATCH = 1024


class ImageBank(Protocol):
    """Images by their place. Every batch is a copy: whoever spoils it spoils nothing else."""

    @property
    def device(self) -> torch.device:
        """Where batches arrive."""
        ...

    def __len__(self) -> int: ...

    def take(self, places: Tensor, /) -> Tensor:
        """The images at these places, int64 [B] on any device, as uint8 [B, H, W, C] on the bank's device."""
        ...

    def expect(self, places: Tensor, /) -> None:
        """These places are likely to be taken next; the bank may begin to read them."""
        ...


class ResidentBank:
    """Images that lie on the device. Raises `InputError` unless they are uint8 [N, H, W, C]."""

    def __init__(self, images: Tensor) -> None:
        if images.ndim != 4 or images.dtype is not torch.uint8:
            raise InputError(
                f"A bank of images cannot hold {images.dtype} of shape {tuple(images.shape)}.",
                remedy="Give uint8 images [N, height, width, channels], as they are stored.",
            )
        self._images = images

    @property
    def device(self) -> torch.device:
        """Where the images lie."""
        return self._images.device

    def __len__(self) -> int:
        return len(self._images)

    def take(self, places: Tensor, /) -> Tensor:
        """The images at these places, copied."""
        return self._images[places.to(self.device)]

    def expect(self, places: Tensor, /) -> None:
        """Nothing to do: they are here."""


class StreamingBank:
    """Images that are read from their source at every take, and checked by it every time.

    Raises:
        InputError: There are no images. While taking: an image has another shape than the first.
    """

    def __init__(self, pixels: PixelSource, digests: Sequence[Digest], *, device: str = "cpu") -> None:
        self._pixels, self._digests = pixels, tuple(digests)
        self._shape = load_images(pixels, self._digests[:1]).shape[1:]
        self._device = torch.device(device)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="image-bank")
        self._expected: tuple[tuple[int, ...], Future[Tensor]] | None = None

    @property
    def device(self) -> torch.device:
        """Where batches arrive."""
        return self._device

    def __len__(self) -> int:
        return len(self._digests)

    def take(self, places: Tensor, /) -> Tensor:
        """The images at these places: those that were expected if they are the same, else read now."""
        wanted = tuple(places.tolist())
        expected, self._expected = self._expected, None
        images = expected[1].result() if expected is not None and expected[0] == wanted else self._read(wanted)
        return images.to(self._device)

    def expect(self, places: Tensor, /) -> None:
        """Begin to read these in the background; what goes wrong there is raised when they are taken."""
        wanted = tuple(places.tolist())
        self._expected = wanted, self._reader.submit(self._read, wanted)

    def _read(self, places: tuple[int, ...]) -> Tensor:
        images = load_images(self._pixels, [self._digests[place] for place in places])
        if images.shape[1:] != self._shape:
            raise _other_shape(images, self._shape)
        return images


def bank_for(
    pixels: PixelSource, digests: Sequence[Digest], *, device: str = "cpu", limit_bytes: int = RESIDENT_BYTES
) -> ImageBank:
    """A resident bank if the images take no more than `limit_bytes`, else a streaming one.

    Raises:
        InputError: There are no images, or those of a resident bank differ in shape.
    """
    first = load_images(pixels, digests[:1])
    if first.numel() * len(digests) > limit_bytes:
        return StreamingBank(pixels, digests, device=device)
    images = torch.empty((len(digests), *first.shape[1:]), dtype=torch.uint8, device=device)
    for start in range(0, len(digests), FILL_BATCH):
        part = load_images(pixels, digests[start : start + FILL_BATCH])
        if part.shape[1:] != first.shape[1:]:
            raise _other_shape(part, first.shape[1:])
        images[start : start + len(part)] = part
    return ResidentBank(images)


# --- private ---------------------------------------------------------------------------------------


def _other_shape(found: Tensor, wanted: torch.Size) -> InputError:
    return InputError(
        f"Images of shape {tuple(found.shape[1:])} are among images of shape {tuple(wanted)}.",
        remedy="Choose cases whose images have one size and the same number of channels.",
    )
