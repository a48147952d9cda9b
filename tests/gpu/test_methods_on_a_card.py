"""Every method of the table on an accelerator, beside the processor; skips with a printed reason elsewhere."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from helpers.toy_requests import toy_champion, toy_request
from maintain.imaging import State, weights_digest
from maintain.records import Setting
from maintain.unlearn import METHODS, load_method
from maintain.vocabulary import Role

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

#: How far a card's changes of the weights may lie from the processor's, as a share of these: sums in another order
#: and products of fewer bits (TF32), step after step. Weights nearly as salient as others may change sides.
APART = 0.1
#: What a method is told so that it is quick here.
TOLD = (("steps", 20), ("forget_batch", 6), ("retain_batch", 16))


def unlearned(method: str, device: str) -> tuple[State, set[tuple[Role, str, int]]]:
    known = {option.name for option in METHODS[method].options}
    told = tuple(Setting(name, value) for name, value in TOLD if name in known)
    request = dataclasses.replace(toy_request(12, *told), device=device)
    state = load_method(method).unlearn(request).state
    rows = request.witness.of(state).log.rows
    return state, {(row.role, row.case_id, row.times_seen) for row in rows}


def flat(state: State) -> torch.Tensor:
    return torch.cat([state[name].cpu().double().flatten() for name in sorted(state) if "num_batches" not in name])


@pytest.mark.parametrize("method", METHODS)
def test_a_card_changes_the_weights_as_the_processor_does(method: str) -> None:
    (there, logged), (here, expected) = (unlearned(method, device) for device in ("cuda", "cpu"))
    assert logged == expected
    champion = flat(toy_champion(12)[1].state)
    moved = flat(here) - champion
    assert (flat(there) - champion - moved).norm() <= APART * moved.norm()


@pytest.mark.parametrize("method", METHODS)
def test_equal_requests_give_equal_bytes_on_a_card(method: str) -> None:
    first, second = (unlearned(method, "cuda")[0] for _ in range(2))
    assert weights_digest(first) == weights_digest(second)
