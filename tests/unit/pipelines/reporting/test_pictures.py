"""Images are refused for whoever took something back, and are otherwise few and without metadata."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maintain.arrays import Pixels
from maintain_pipelines.reporting.pictures import png_of


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_the_pixels_and_nothing_else(channels: int) -> None:
    pixels: Pixels = np.random.default_rng(4).integers(0, 256, size=(9, 14, channels), dtype=np.uint8)
    image = Image.open(io.BytesIO(png_of(pixels)))
    assert image.info == {}
    assert np.array_equal(np.asarray(image).reshape(pixels.shape), pixels)
