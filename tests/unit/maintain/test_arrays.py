"""The pixel store: what it refuses, what it notices, and that it gives back what it got."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from maintain.arrays import ArrayStore, digest_in, pixels_digest
from maintain.errors import DamagedError, InputError

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)


@pytest.fixture
def store(tmp_path: Path) -> ArrayStore:
    return ArrayStore(tmp_path / "arrays")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4), dtype=np.uint8),
        np.zeros((3, 4, 1), dtype=np.float32),
        np.zeros((0, 4, 1), dtype=np.uint8),
        np.zeros((1, 3, 4, 1), dtype=np.uint8),
    ],
)
def test_refuses_what_is_not_a_picture(store: ArrayStore, array: np.ndarray) -> None:
    with pytest.raises(InputError, match="uint8"):
        store.put(array)
    assert store.count() == 0


@pytest.mark.parametrize("digest", ["", "../../secret", "A" * 64, "ab" * 31, "ab" * 33])
def test_refuses_what_is_not_a_digest(store: ArrayStore, digest: str) -> None:
    with pytest.raises(InputError):
        store.get(digest)
    assert not store.has(digest)


def test_missing_pixels_are_damage(store: ArrayStore) -> None:
    with pytest.raises(DamagedError, match="cannot be read"):
        store.get("ab" * 32)


@pytest.mark.parametrize("keep", [0, 5, 60, 128, -1])
def test_a_torn_file_is_noticed_and_mended(store: ArrayStore, keep: int) -> None:
    digest = store.put(GREY)
    (file,) = store.root.glob("*/*.npy")
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DamagedError):
        store.get(digest)
    assert store.put(GREY) == digest
    assert np.array_equal(store.get(digest), GREY)


def test_every_changed_byte_is_noticed(store: ArrayStore) -> None:
    digest = store.put(GREY)
    (file,) = store.root.glob("*/*.npy")
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        if place in (8, 9):  # the length of the head, which only other readers need
            continue
        with pytest.raises(DamagedError):
            store.get(digest)


def test_a_size_that_asks_for_all_memory_is_damage(store: ArrayStore) -> None:
    digest = store.put(GREY)
    (file,) = store.root.glob("*/*.npy")
    huge = file.read_bytes().replace(b"(3, 4, 1), }        ", b"(3333333, 444444, 1)}")
    file.write_bytes(huge)
    with pytest.raises(DamagedError):
        store.get(digest)


def test_other_tools_read_the_files(store: ArrayStore) -> None:
    store.put(GREY)
    (file,) = store.root.glob("*/*.npy")
    assert np.array_equal(np.load(file, allow_pickle=False), GREY)


def test_pickles_are_never_loaded(store: ArrayStore) -> None:
    digest = store.put(GREY)
    (file,) = store.root.glob("*/*.npy")
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DamagedError):
        store.get(digest)


def test_refuses_to_stack_different_shapes(store: ArrayStore) -> None:
    digests = [store.put(GREY), store.put(np.zeros((2, 2, 3), dtype=np.uint8))]
    with pytest.raises(InputError, match="2 x 2 x 3, 3 x 4 x 1"):
        store.load(digests)
    with pytest.raises(InputError, match="no picture"):
        store.load([])


def test_stacks_in_the_order_of_the_digests(store: ArrayStore) -> None:
    pictures = [np.full((2, 3, 1), number, dtype=np.uint8) for number in (7, 3, 7, 9)]
    stacked = store.load([store.put(picture) for picture in pictures])
    assert np.array_equal(stacked, np.stack(pictures))
    assert store.count() == 3


def test_pictures_are_read_only(store: ArrayStore) -> None:
    read = store.get(store.put(GREY))
    with pytest.raises(ValueError, match="read-only"):
        read[0, 0, 0] = 1


def test_leaves_no_partial_file(store: ArrayStore) -> None:
    store.put(GREY)
    store.put(GREY)
    assert [path.suffix for path in store.root.rglob("*") if path.is_file()] == [".npy"]


pictures = st_numpy.arrays(np.uint8, st.tuples(*(st.integers(1, 5),) * 3))


@settings(max_examples=60, deadline=None)
@given(one=pictures, two=pictures)
def test_digests_are_equal_exactly_when_pictures_are(one: np.ndarray, two: np.ndarray) -> None:
    same = one.shape == two.shape and bool((one == two).all())
    assert (pixels_digest(one) == pixels_digest(two)) is same
    assert pixels_digest(np.asfortranarray(one)) == pixels_digest(one)


@settings(max_examples=40, deadline=None)
@given(picture=pictures)
def test_gives_back_what_it_got(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> None:
    store = ArrayStore(tmp_path_factory.getbasetemp() / "round-trip")
    assert np.array_equal(store.get(store.put(np.asfortranarray(picture))), picture)


def test_only_the_bytes_of_one_of_our_pictures_have_a_digest(store: ArrayStore) -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    digest = store.put(picture)
    data = next(store.root.rglob("*.npy")).read_bytes()
    assert digest_in(data) == digest
    for other in (b"", data[:-1], data + b"x", b"text"):
        assert digest_in(other) is None


def test_a_removed_picture_leaves_nothing_half_written_and_others_stay(store: ArrayStore) -> None:
    gone, kept = (store.put(np.full((2, 4, 3), value, dtype=np.uint8)) for value in (1, 2))
    folder = next(store.root.rglob(f"{gone}.npy")).parent
    (folder / f".{gone}.7.partial").write_bytes(b"cut short")
    assert store.remove(gone) == 2
    assert store.remove(gone) == 0
    assert (store.has(gone), store.has(kept)) == (False, True)
    assert not list(store.root.rglob("*.partial"))
