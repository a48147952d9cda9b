from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from maintain.arrays import ArrayStore
from maintain.errors import DamagedError, InputError
from maintain.imaging import (
    CaseLoader,
    ImageBank,
    LoaderCase,
    MemoryPixels,
    ResidentBank,
    StreamingBank,
    bank_for,
    load_images,
)
from maintain.imaging.bank import FILL_BATCH
from maintain.vocabulary import Role

COUNT = 23


class Watched:
    """A source that remembers what it was asked, and from which thread."""

    def __init__(self, pixels: MemoryPixels) -> None:
        self.pixels = pixels
        self.asked: list[tuple[str, ...]] = []
        self.threads: list[str] = []

    def load(self, digests: Sequence[str], /) -> NDArray[np.uint8]:
        self.asked.append(tuple(digests))
        self.threads.append(threading.current_thread().name)
        return self.pixels.load(digests)


def source(count: int = COUNT, side: int = 6) -> tuple[Watched, list[str]]:
    draw = np.random.default_rng(1)
    pixels = MemoryPixels()
    return Watched(pixels), [pixels.put(draw.integers(0, 256, (side, side, 3), dtype=np.uint8)) for _ in range(count)]


def mixed(root: Path) -> tuple[ArrayStore, list[str]]:
    pixels = ArrayStore(root)
    return pixels, [pixels.put(np.full((side, 4, 1), side, dtype=np.uint8)) for side in (4, 4, 5)]


@pytest.mark.parametrize("images", [torch.zeros(2, 4, 4, 1), torch.zeros(2, 4, 4, dtype=torch.uint8)])
def test_what_is_not_stored_images_is_refused(images: Tensor) -> None:
    with pytest.raises(InputError, match="cannot hold"):
        ResidentBank(images)


@pytest.mark.parametrize("limit_bytes", [0, 1 << 20])
def test_no_images_are_refused(limit_bytes: int) -> None:
    with pytest.raises(InputError):
        bank_for(MemoryPixels(), [], limit_bytes=limit_bytes)


def test_images_of_two_shapes_are_refused_at_once_or_when_they_are_read(tmp_path: Path) -> None:
    pixels, digests = mixed(tmp_path)
    with pytest.raises(InputError):
        bank_for(pixels, digests)
    streaming = bank_for(pixels, digests, limit_bytes=0)
    assert streaming.take(torch.tensor([0, 1])).shape == (2, 4, 4, 1)
    with pytest.raises(InputError, match=r"shape \(5, 4, 1\) are among images of shape \(4, 4, 1\)"):
        streaming.take(torch.tensor([2]))


def test_a_second_shape_in_a_later_part_is_refused_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("maintain.imaging.bank.FILL_BATCH", 2)
    pixels, digests = mixed(tmp_path)
    with pytest.raises(InputError, match="are among images of shape"):
        bank_for(pixels, digests)


def test_size_decides_what_kind_of_bank_it_is() -> None:
    watched, digests = source()
    whole = COUNT * 6 * 6 * 3
    assert isinstance(bank_for(watched, digests, limit_bytes=whole), ResidentBank)
    assert isinstance(bank_for(watched, digests, limit_bytes=whole - 1), StreamingBank)


@pytest.mark.parametrize("limit_bytes", [0, 1 << 20])
def test_a_bank_gives_the_images_of_its_source_in_any_order(limit_bytes: int) -> None:
    watched, digests = source()
    bank = bank_for(watched, digests, limit_bytes=limit_bytes)
    places = torch.tensor([4, 0, 22, 4])
    wanted = load_images(watched.pixels, [digests[place] for place in places])
    taken = bank.take(places)
    assert (len(bank), bank.device, taken.dtype) == (COUNT, torch.device("cpu"), torch.uint8)
    assert torch.equal(taken, wanted)
    taken.zero_()
    assert torch.equal(bank.take(places), wanted)


def test_a_resident_bank_reads_each_image_once_and_never_many_at_a_time() -> None:
    watched, digests = source(2 * FILL_BATCH + 5, side=1)
    bank = bank_for(watched, digests)
    assert torch.equal(bank.take(torch.arange(len(digests))), load_images(watched.pixels, digests))
    assert [len(asked) for asked in watched.asked] == [1, FILL_BATCH, FILL_BATCH, 5]


def test_what_is_expected_is_read_in_the_background_and_only_once() -> None:
    watched, digests = source()
    bank = StreamingBank(watched, digests)
    bank.expect(torch.tensor([1, 2]))
    bank.take(torch.tensor([1, 2]))
    assert watched.asked[1:] == [(digests[1], digests[2])]
    assert watched.threads[-1].startswith("image-bank")
    bank.take(torch.tensor([1, 2]))
    assert watched.threads[-1] == threading.main_thread().name


def test_what_was_expected_and_is_not_taken_is_not_handed_out() -> None:
    watched, digests = source()
    bank = StreamingBank(watched, digests)
    bank.expect(torch.tensor([1]))
    assert torch.equal(bank.take(torch.tensor([3])), load_images(watched.pixels, [digests[3]]))
    assert torch.equal(bank.take(torch.tensor([1])), load_images(watched.pixels, [digests[1]]))


def test_an_image_that_was_damaged_meanwhile_is_noticed_when_it_is_taken(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path)
    digests = [store.put(np.full((4, 4, 1), number, dtype=np.uint8)) for number in range(3)]
    bank = StreamingBank(store, digests)
    for path in tmp_path.rglob("*.npy"):
        path.write_bytes(path.read_bytes()[:-1])
    bank.expect(torch.tensor([2]))
    with pytest.raises(DamagedError):
        bank.take(torch.tensor([2]))


def test_a_loader_over_either_bank_hands_out_the_same_bits() -> None:
    watched, digests = source()
    cases = [LoaderCase(f"case-{place}", 1, place % 3, digest, Role.RETAIN) for place, digest in enumerate(digests)]

    def handed_out(bank: ImageBank) -> list[tuple[Tensor, Tensor]]:
        loader = CaseLoader(cases, bank, batch_size=4, seed=2)
        drawn = [loader.draw() for _ in range(2 * loader.batches_per_epoch)]
        return [(batch.images, batch.labels) for batch in drawn]

    resident, streaming = handed_out(bank_for(watched, digests)), handed_out(bank_for(watched, digests, limit_bytes=0))
    for one, other in zip(resident, streaming, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
    assert watched.threads.count("image-bank_0") == 2 * (len(resident) // 2 - 1)
