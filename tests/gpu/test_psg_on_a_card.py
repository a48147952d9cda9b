"""The boundary search and the update of psg on an accelerator; skips with a printed reason elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from helpers.toy_requests import toy_request
from maintain.errors import WaitingError
from maintain.imaging import weights_digest
from maintain.records import Scalar, Setting
from maintain.unlearn import load_method

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

DEVICE = "cuda"
#: Two looks, so that there is something to go on with; few steps, as rounding grows with every one.
TOLD: dict[str, Scalar] = {"steps": 12, "forget_batch": 4}
WAYS: dict[str, dict[str, Scalar]] = {
    "standard": {"gamma": 0.5},
    "steered": {"targets": "masked-softmax", "retention_drop": 0.05},
    "selective": {"mode": "selective", "held_out_share": 0.5},
}
#: Largest difference of a weight between the card and the processor after those steps.
TOLERANCE = 1e-3


def unlearned(
    method: str, device: str, given: dict[str, Scalar], folder: Path | None = None, *, stop: bool = False
) -> dict[str, Tensor]:
    request = toy_request(12, *(Setting(name, value) for name, value in {**TOLD, **given}.items()))
    request = dataclasses.replace(request, device=device, checkpoints=folder, stop=lambda: stop)
    return load_method(method).unlearn(request).state


@pytest.mark.parametrize("way", WAYS)
def test_the_weights_are_those_of_the_processor(way: str) -> None:
    card, processor = (unlearned("psg", device, WAYS[way]) for device in (DEVICE, "cpu"))
    for name, tensor in processor.items():
        assert_close(card[name].cpu(), tensor, atol=TOLERANCE, rtol=0, msg=name)


def test_so_are_those_of_the_ancestor() -> None:
    card, processor = (unlearned("boundary-shrink", device, {}) for device in (DEVICE, "cpu"))
    for name, tensor in processor.items():
        assert_close(card[name].cpu(), tensor, atol=TOLERANCE, rtol=0, msg=name)


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupted_one_goes_on_bit_for_bit(way: str, tmp_path: Path) -> None:
    whole = unlearned("psg", DEVICE, WAYS[way])
    with pytest.raises(WaitingError):
        unlearned("psg", DEVICE, WAYS[way], tmp_path, stop=True)
    assert weights_digest(unlearned("psg", DEVICE, WAYS[way], tmp_path)) == weights_digest(whole)
