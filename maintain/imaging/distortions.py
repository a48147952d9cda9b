"""Random distortions of whole batches: what an augmentation does to images, on the device that holds them.

Every one draws a fixed number of uniform numbers an image and nothing else, so that a generator put
back to where it stood draws the same again. No image is handled by itself.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from maintain.errors import InputError

#: Pixels of black around an image before it is cropped (He et al., CVPR 2016, for images of 32 pixels).
CROP_PAD = 4
#: Largest turn in either direction, in degrees.
TURN_DEGREES = 15.0
#: Largest move in either direction, as a share of the side: four pixels of 32.
MOVE_SHARE = 0.125
#: Brightness, contrast and saturation are multiplied by one plus or minus this.
JITTER = 0.2


def unchanged(batch: Tensor, generator: Generator) -> Tensor:
    """The batch itself; nothing is drawn."""
    return batch


def flip(batch: Tensor, generator: Generator) -> Tensor:
    """Left to right where a coin says so."""
    (coin,) = _draws(1, batch, generator)
    return _windows(batch, pad=0, coin=coin)


def crop(batch: Tensor, generator: Generator) -> Tensor:
    """A window of the old size anywhere in the padded image."""
    down, right = _draws(2, batch, generator)
    return _windows(batch, pad=CROP_PAD, down=down, right=right)


def crop_flip(batch: Tensor, generator: Generator) -> Tensor:
    """`crop`, and left to right where a coin says so."""
    down, right, coin = _draws(3, batch, generator)
    return _windows(batch, pad=CROP_PAD, down=down, right=right, coin=coin)


def medical(batch: Tensor, generator: Generator) -> Tensor:
    """Flipped, turned, moved and jittered; stored pixels come back rounded to 8 bits."""
    coin, turn, down, right, *colours = _draws(7, batch, generator)
    stored = batch.dtype is torch.uint8
    images = batch.permute(0, 3, 1, 2).to(torch.float32).div(_WHITE) if stored else batch
    images = _jittered(_moved(images, coin=coin, turn=turn, down=down, right=right), *colours)
    return images.mul(_WHITE).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous() if stored else images


# --- private ---------------------------------------------------------------------------------------

#: Largest value of a stored pixel: 8 bits.
_WHITE = 255.0
#: Weights of red, green and blue in what looks equally bright (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)


def _draws(count: int, batch: Tensor, generator: Generator) -> Tensor:
    """`count` rows of one uniform number in [0, 1) an image, drawn where the generator lives."""
    if batch.ndim != 4 or not (batch.dtype is torch.uint8 or batch.is_floating_point()):
        raise InputError(
            f"An augmentation takes a batch of images, not {batch.dtype} of {batch.ndim} dimensions.",
            remedy="Pass uint8 [N, H, W, C] as stored, or float [N, C, H, W] in [0, 1].",
        )
    return torch.rand((count, batch.shape[0]), generator=generator, device=generator.device).to(batch.device)


def _windows(
    batch: Tensor, *, pad: int, down: Tensor | None = None, right: Tensor | None = None, coin: Tensor | None = None
) -> Tensor:
    """Whole pixels only, by index: row and column of the padded image for every pixel of the new one."""
    stored = batch.dtype is torch.uint8
    images = batch if stored else batch.permute(0, 2, 3, 1)
    rows = _places(images.shape[1], pad, down, images)
    columns = _places(images.shape[2], pad, right, images)
    if coin is not None:
        columns = torch.where(coin[:, None] < 0.5, columns.flip(1), columns)
    padded = functional.pad(images, (0, 0, pad, pad, pad, pad)) if pad else images
    number = torch.arange(len(images), device=images.device)
    found = padded[number[:, None, None], rows[:, :, None], columns[:, None, :]]
    return found if stored else found.permute(0, 3, 1, 2).contiguous()


def _places(side: int, pad: int, share: Tensor | None, images: Tensor) -> Tensor:
    """For every image, the places along one side of its window: [N, side]."""
    places = torch.arange(side, device=images.device)[None, :].expand(len(images), side)
    return places if share is None else places + (share * (2 * pad + 1)).to(torch.int64)[:, None]


def _moved(images: Tensor, *, coin: Tensor, turn: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Flip, rotation and move in one bilinear resampling; pixels from outside are black.

    The matrix takes a place of the new image to one of the old, in units of half a side; the ratio of
    the sides keeps a turn a turn where an image is not square.
    """
    height, width = images.shape[2:]
    angle = torch.deg2rad(_around(turn, TURN_DEGREES))
    mirror = torch.where(coin < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    across = torch.stack((mirror * cosine, -sine * (height / width), _around(right, 2 * MOVE_SHARE)), dim=1)
    along = torch.stack((mirror * sine * (width / height), cosine, _around(down, 2 * MOVE_SHARE)), dim=1)
    matrix = torch.stack((across, along), dim=1).to(images.dtype)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _jittered(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Brightness, then contrast about the mean grey, then saturation about each pixel's grey, each cut to [0, 1]."""
    bright, strong, colourful = (
        (1 + _around(draw, JITTER)).to(images.dtype)[:, None, None, None] for draw in (brightness, contrast, saturation)
    )
    images = (images * bright).clamp(0, 1)
    mean = _grey(images).mean(dim=(2, 3), keepdim=True)
    images = ((images - mean) * strong + mean).clamp(0, 1)
    grey = _grey(images)
    return ((images - grey) * colourful + grey).clamp(0, 1)


def _grey(images: Tensor) -> Tensor:
    """The grey of every pixel [N, 1, H, W]; of other than three channels, their mean."""
    if images.shape[1] != len(_LUMA):
        return images.mean(dim=1, keepdim=True)
    red, green, blue = (images[:, [channel]] * weight for channel, weight in enumerate(_LUMA))
    return red + green + blue


def _around(draw: Tensor, reach: float) -> Tensor:
    """A draw from [0, 1) as one from [-reach, reach)."""
    return (2 * draw - 1) * reach
