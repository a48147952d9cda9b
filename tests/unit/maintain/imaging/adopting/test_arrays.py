"""Arrays that were handed in: refused unless they are pictures, else given back within their rounding."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from maintain.errors import InputError
from maintain.imaging import Chain
from maintain.imaging.adopting import levels_of, read_array, shape_after
from maintain.records import Step


def saved(folder: Path, *arrays: NDArray[np.generic]) -> list[Path]:
    paths = [folder / f"{place}.npy" for place in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array, allow_pickle=False)
    return paths


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), dtype=np.int32),
        np.zeros((4, 4, 5), dtype=np.uint8),
        np.zeros((2, 4, 4, 3), dtype=np.uint8),
        np.zeros((0, 4), dtype=np.uint8),
        np.array([[1.0, np.nan]]),
        np.array([["a"]]),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, array: NDArray[np.generic]) -> None:
    (path,) = saved(tmp_path, array)
    with pytest.raises(InputError, match="The arrays hold one"):
        read_array(path)


def test_pickled_and_broken_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps([1]))
    (tmp_path / "empty.npy").touch()
    (path,) = saved(tmp_path, np.zeros((4, 4), dtype=np.uint8))
    (tmp_path / "cut.npy").write_bytes(path.read_bytes()[:-3])
    for name in ("object", "pickle", "empty", "cut", "gone"):
        with pytest.raises(InputError, match="no whole"):
            read_array(tmp_path / f"{name}.npy")


def test_arrays_that_differ_are_refused(tmp_path: Path) -> None:
    for other in (np.zeros((4, 5), dtype=np.uint8), np.zeros((4, 4), dtype=np.float32)):
        with pytest.raises(InputError, match="differ"):
            levels_of(saved(tmp_path, np.zeros((4, 4), dtype=np.uint8), other))
    with pytest.raises(InputError, match="none"):
        levels_of([])


@pytest.mark.parametrize("first", [True, False])
def test_floats_come_back_within_their_rounding(tmp_path: Path, *, first: bool) -> None:
    drawn = np.random.default_rng(1).normal(size=(3, 3, 6, 6)).astype(np.float32)
    arrays = list(drawn) if first else [np.moveaxis(one, 0, 2) for one in drawn]
    levels = levels_of(saved(tmp_path, *arrays))
    for given, wanted in zip(arrays, drawn, strict=True):
        read = Chain(levels.steps()).apply(torch.from_numpy(levels.picture(given))[None])[0]
        assert np.abs(read.numpy() - wanted).max() <= levels.rounding * 1.001
    assert shape_after(levels.steps(), levels.picture(arrays[0])) == (3, 6, 6)


def test_eight_bits_stay_as_they_are_and_constants_survive(tmp_path: Path) -> None:
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4)
    levels = levels_of(saved(tmp_path, grey))
    assert levels.rounding == 0.0
    assert np.array_equal(levels.picture(grey)[:, :, 0], grey)
    read = Chain(levels.steps()).apply(torch.from_numpy(levels.picture(grey))[None])[0, 0]
    assert np.allclose(read.numpy(), grey)
    flat = levels_of(saved(tmp_path, np.full((4, 4), 2.5)))
    assert float(Chain(flat.steps()).apply(torch.from_numpy(flat.picture(np.full((4, 4), 2.5)))[None]).max()) == 2.5


def test_turned_pictures_that_are_no_squares_are_refused() -> None:
    with pytest.raises(InputError, match="no squares"):
        shape_after((Step("to-float", 1), Step("transpose", 1)), np.zeros((4, 5, 1), dtype=np.uint8))
