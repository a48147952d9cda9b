from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maintain.arrays import ArrayStore
from maintain.errors import InputError
from maintain.imaging import MemoryPixels, PixelSource, load_images, toy_problem


def test_images_that_were_never_put_are_refused() -> None:
    with pytest.raises(InputError, match="1 of 1 images"):
        MemoryPixels().load(["absent"])
    with pytest.raises(InputError, match="0 of 0 images"):
        MemoryPixels().load([])


def test_images_come_back_in_the_order_asked_for_and_are_the_callers() -> None:
    pixels = MemoryPixels()
    bright, dark = (np.full((2, 3, 1), value, dtype=np.uint8) for value in (200, 10))
    digests = [pixels.put(bright), pixels.put(dark)]
    loaded = load_images(pixels, [digests[1], digests[0]])
    assert loaded.shape == (2, 2, 3, 1)
    assert loaded[:, 0, 0, 0].tolist() == [10, 200]
    loaded.zero_()
    assert load_images(pixels, digests)[:, 0, 0, 0].tolist() == [200, 10]


def test_the_store_on_disk_is_a_source_with_the_same_digests(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    source: PixelSource = store
    image = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    digest = store.put(image)
    assert MemoryPixels().put(image) == digest
    assert load_images(source, [digest, digest]).shape == (2, 4, 2, 3)


def test_equal_toys_are_equal() -> None:
    assert toy_problem(seed=4).rows == toy_problem(seed=4).rows
    assert toy_problem(seed=4).rows != toy_problem(seed=5).rows
