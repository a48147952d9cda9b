from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from helpers.boundaries import some_boundary
from maintain.errors import InputError
from maintain.unlearn.boundary.labels import targets_of
from maintain.unlearn.boundary.options import TargetKind


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature: float) -> None:
    with pytest.raises(InputError, match="temperature"):
        targets_of(some_boundary(), TargetKind.MASKED_SOFTMAX, temperature=temperature)


@pytest.mark.parametrize("kind", TargetKind)
def test_every_target_is_a_probability_and_its_loss_is_bounded_below(kind: TargetKind) -> None:
    found = targets_of(some_boundary(), kind)
    assert found.shape == (4, 3)
    assert bool((found >= 0).all())
    assert_close(found.sum(dim=1), torch.ones(4))
    best = functional.cross_entropy(torch.log(found + 1e-30), found)
    for seed in range(20):
        outputs = 50 * torch.randn((4, 3), generator=torch.Generator().manual_seed(seed))
        assert functional.cross_entropy(outputs, found) >= best - 1e-5


def test_hard_targets_are_the_other_labels() -> None:
    assert targets_of(some_boundary(), TargetKind.HARD).argmax(dim=1).tolist() == [1, 2, 0, 2]


def test_masked_targets_give_the_own_label_nothing() -> None:
    boundary = some_boundary()
    found = targets_of(boundary, TargetKind.MASKED_SOFTMAX, temperature=2.0)
    assert not found[torch.arange(4), boundary.truth].any()
    others = torch.tensor([2.0, -1.0]) / 2
    assert_close(found[0, 1:], torch.softmax(others, dim=0))
    assert torch.equal(found.argmax(dim=1), boundary.labels)


def test_logits_keep_the_own_label_only_where_the_boundary_was_crossed() -> None:
    boundary = some_boundary()
    found = targets_of(boundary, TargetKind.LOGITS)
    assert_close(found[:3], torch.softmax(boundary.logits[:3], dim=1))
    assert found[3, 0] == 0
    assert torch.equal(found.argmax(dim=1), boundary.labels)


def test_cases_without_a_crossing_are_counted() -> None:
    assert (len(some_boundary()), some_boundary().uncrossed) == (4, 1)
