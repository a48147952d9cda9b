from __future__ import annotations

import contextlib

import pytest
import torch

from maintain.errors import InputError
from maintain.imaging import deterministic, pick_device, seeded, threads


def test_no_threads_are_refused() -> None:
    with pytest.raises(InputError, match="0 threads"):
        threads(0).__enter__()


def test_threads_are_put_back_also_after_a_failure() -> None:
    before = torch.get_num_threads()
    with contextlib.suppress(KeyError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_a_seeded_draw_repeats_and_disturbs_nothing() -> None:
    torch.manual_seed(9)
    undisturbed = torch.rand(2)
    torch.manual_seed(9)
    with seeded(4):
        first = torch.rand(2)
    assert torch.equal(torch.rand(2), undisturbed)
    with seeded(4):
        assert torch.equal(torch.rand(2), first)


def test_determinism_is_asked_for_and_given_back() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic():
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_device_is_a_card_only_where_there_is_one() -> None:
    assert pick_device() == ("cuda" if torch.cuda.is_available() else "cpu")
