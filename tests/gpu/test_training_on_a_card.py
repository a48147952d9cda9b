"""Training, resuming and measuring on an accelerator; skips with a printed reason elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maintain.errors import WaitingError
from maintain.imaging import load_model, save_weights, toy_problem
from maintain.measure import measure
from maintain.unlearn import Trained, default_recipe, train
from maintain.vocabulary import Role

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

TOY = toy_problem()
CASES = TOY.blueprint.loader_cases(TOY.rows, Role.LEARN)
RECIPE = default_recipe(seed=3, epochs=4)


def trained(checkpoint: Path | None = None, *, stop_after: int | None = None) -> Trained:
    asked = iter(range(100))
    stop = None if stop_after is None else lambda: next(asked) + 1 >= stop_after
    return train(TOY.blueprint, RECIPE, CASES, TOY.pixels, device="cuda", checkpoint=checkpoint, stop=stop)


def test_an_interrupted_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = trained()
    with pytest.raises(WaitingError):
        trained(tmp_path / "c", stop_after=2)
    resumed = trained(tmp_path / "c")
    assert resumed.weights == whole.weights
    assert resumed.log == whole.log


def test_the_answers_are_those_of_the_processor(tmp_path: Path) -> None:
    done = trained()
    path = tmp_path / "weights.safetensors"
    assert save_weights(path, done.state) == done.weights
    spec = TOY.spec(recipe=done.recipe)
    answers = {
        device: measure(load_model(spec, path), spec, TOY.rows, TOY.pixels, weights=done.weights, device=device)
        for device in ("cpu", "cuda")
    }
    for processor, card in zip(answers["cpu"], answers["cuda"], strict=True):
        assert card.logits == pytest.approx(processor.logits, abs=1e-4)


def test_losses_fall_as_on_the_processor() -> None:
    on_card = [epoch.loss for epoch in trained().history]
    on_processor = [epoch.loss for epoch in train(TOY.blueprint, RECIPE, CASES, TOY.pixels).history]
    assert on_card == pytest.approx(on_processor, rel=0.05)
