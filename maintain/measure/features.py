"""What can be read of images and of networks besides outputs: block means of pixels, and the last hidden layer.

Block means know nothing of any model, so how hard a case is can be said with them without asking the model
that is judged; the last hidden layer says what a network still knows that its outputs may hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.imaging.batches import batch_bounds
from maintain.imaging.pixels import PixelSource
from maintain.measure.asking import MEASURE_BATCH, asked, finite, inputs
from maintain.records import ModelSpec, PlannedCase

#: Blocks along a side of an image: at 16 a logistic proxy explained .25 to .35 of a retrain's margins
#: (feasibility.md §2).
BLOCKS = 16

#: Largest value of a stored pixel: 8 bits.
_WHITE = 255.0


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """Of each image the means of its blocks, and mean and spread of its pixels; all on a scale from 0 to 1."""

    blocks: NDArray[np.float64]
    """(images, side x side x channels)."""
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]


def image_features(pixels: PixelSource, digests: Sequence[Digest], *, side: int = BLOCKS) -> ImageFeatures:
    """Features of these images in their order, a batch at a time; a block is an area, whatever the image's size.

    Raises `InputError` where there are none, or where they differ in their number of channels.
    """
    images: list[_Features] = []
    for start, end in batch_bounds(len(digests), MEASURE_BATCH) if digests else ():
        images += _features([pixels.load([digest])[0] for digest in digests[start:end]], side)
    if len({len(blocks) for blocks, _, _ in images}) != 1:
        raise InputError(
            "These images have no common features: there are none, or their channels differ in number.",
            remedy="Choose at least one case, and cases whose images have the same channels.",
        )
    blocks, brightness, contrast = zip(*images, strict=True)
    return ImageFeatures(np.stack(blocks), np.array(brightness), np.array(contrast))


def last_hidden(
    network: nn.Module,
    spec: ModelSpec,
    cases: Sequence[PlannedCase],
    pixels: PixelSource,
    *,
    batch_size: int = MEASURE_BATCH,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """What enters the last linear layer, (cases, width), in the order given.

    Raises:
        InputError: The network has no linear layer, or there are no cases.
        NotEvaluatedError: An activation is not a finite number.
    """
    heard: list[Tensor] = []
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if not layers or not cases:
        raise InputError(
            f"The network {spec.network.name!r} has no hidden layer to read, or there are no cases to read it for.",
            remedy="Choose a network that ends in a linear layer, and at least one case.",
        )
    handle = layers[-1].register_forward_pre_hook(lambda _layer, given: heard.append(_entered(given)))
    try:
        with asked(network, device):
            for _, batch in inputs(spec, cases, pixels, batch_size=batch_size, device=device):
                network(batch)
    finally:
        handle.remove()
    return torch.cat(heard).numpy()


# --- private ---------------------------------------------------------------------------------------


_Features: TypeAlias = tuple[NDArray[np.float64], float, float]


def _features(images: Sequence[NDArray[np.uint8]], side: int) -> list[_Features]:
    """Neighbours of one size are taken together: an image at a time is slow."""
    found: list[_Features] = []
    for (height, width, _), alike in groupby(images, key=lambda image: image.shape):
        scaled = np.stack(list(alike)) / _WHITE
        rows, columns = _areas(height, side), _areas(width, side)
        blocks = np.moveaxis(rows @ np.moveaxis(scaled, 3, 1) @ columns.T, 1, 3)
        means, spreads = scaled.mean(axis=(1, 2, 3)), scaled.std(axis=(1, 2, 3))
        found += zip(blocks.reshape(len(scaled), -1), means.tolist(), spreads.tolist(), strict=True)
    return found


def _areas(pixels: int, blocks: int) -> NDArray[np.float64]:
    """(blocks, pixels): which share of each block every pixel of a line covers; each row adds up to 1."""
    edges = np.linspace(0.0, pixels, blocks + 1)
    starts = np.arange(pixels)
    covered = np.minimum(edges[1:, None], starts + 1.0) - np.maximum(edges[:-1, None], starts)
    shares: NDArray[np.float64] = np.clip(covered, 0.0, None) * (blocks / pixels)
    return shares


def _entered(given: tuple[Any, ...]) -> Tensor:
    return finite(given[0].flatten(1))
