from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from maintain.errors import InputError
from maintain.intake import FASHION_MNIST, IdxPart, read_idx

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: NDArray[np.uint8], *, kind: int = 8) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def pictures(count: int = 5) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 4, 3), dtype=np.uint8)


def folder(root: Path, images: bytes, labels: bytes) -> Path:
    (root / IMAGES).write_bytes(images)
    (root / LABELS).write_bytes(labels)
    return root


GOOD_LABELS = idx(np.arange(5, dtype=np.uint8))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (b"", "does not begin as an IDX file"),
        (b"\x89PNG" + idx(pictures()), "does not begin as an IDX file"),
        (idx(pictures(), kind=13), "unsigned bytes with 3 axes"),
        (idx(pictures().reshape(5, 12)), "unsigned bytes with 3 axes"),
        (idx(pictures())[:12], "truncated in its head"),
        (idx(pictures())[:-1], "holds 59 values, not the 60"),
        (idx(pictures()) + b"\x00", "holds 61 values, not the 60"),
        (idx(pictures(0)), "leaves nothing"),
        (idx(pictures(4)), "has 4 images and 5 labels"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(images: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read_idx(folder(tmp_path, images, GOOD_LABELS), IdxPart.TRAIN)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(idx(pictures()))[:-9], "is truncated"),
        (idx(pictures()), "is not a whole gzip file"),
        (gzip.compress(idx(pictures()))[:-8] + bytes(8), "is not a whole gzip file"),
    ],
)
def test_a_broken_compressed_file_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / f"{IMAGES}.gz").write_bytes(data)
    with pytest.raises(InputError, match=f"{IMAGES}.gz {said}"):
        read_idx(tmp_path, IdxPart.TRAIN)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no t10k-images-idx3-ubyte") as refused:
        read_idx(folder(tmp_path, idx(pictures()), GOOD_LABELS), IdxPart.TEST)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_images_and_labels_come_back_as_they_were_written(compressed: bool, tmp_path: Path) -> None:
    for name, array in ((IMAGES, pictures()), (LABELS, np.arange(5, dtype=np.uint8))):
        path = tmp_path / (f"{name}.gz" if compressed else name)
        path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    found = read_idx(tmp_path, IdxPart.TRAIN)
    assert found.images.shape == (5, 4, 3, 1)
    assert found.images.dtype == np.uint8
    assert np.array_equal(found.images[..., 0], pictures())
    assert found.labels.tolist() == [0, 1, 2, 3, 4]


@given(cut=st.integers(0, 75), junk=st.binary(max_size=4))
def test_no_other_length_than_the_promised_one_is_read(
    cut: int, junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = idx(pictures())
    changed = whole[:cut] + junk
    if changed != whole and len(changed) != len(whole):
        with pytest.raises(InputError):
            read_idx(folder(tmp_path_factory.mktemp("idx"), changed, GOOD_LABELS), IdxPart.TRAIN)


@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason="the package dataset-fashion-mnist is not installed")
def test_fashion_mnist_of_the_debian_package_is_read() -> None:
    found = read_idx(FASHION_MNIST, IdxPart.TEST)
    assert found.images.shape == (10_000, 28, 28, 1)
    assert np.bincount(found.labels).tolist() == [1_000] * 10
