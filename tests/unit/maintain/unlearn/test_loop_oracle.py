"""The loop against a slow, obvious one: every formula of the recipe written out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from maintain.imaging import CaseLoader, Chain, ResidentBank, load_images, toy_problem
from maintain.records import Recipe
from maintain.unlearn import default_recipe, train
from maintain.vocabulary import Role

TOY = toy_problem(roles=((Role.RETAIN, 20),))
CASES = TOY.blueprint.loader_cases(TOY.rows, Role.RETAIN)
RECIPE = dataclasses.replace(default_recipe(seed=2, epochs=3), batch_size=8)


def rate(step: int, total: int, peak: float) -> float:
    """Cosine from peak/25 up to the peak at 30 % of the steps, then down to peak/25/10,000."""
    start, end, top = peak / 25, peak / 25 / 1e4, 0.3 * total - 1
    begin, finish, done = (start, peak, step / top) if step <= top else (peak, end, (step - top) / (total - 1 - top))
    return finish + (begin - finish) / 2 * (1 + math.cos(math.pi * done))


def by_hand(recipe: Recipe) -> dict[str, Tensor]:
    network = TOY.blueprint.build(recipe.seed).train()
    images = load_images(TOY.pixels, [case.pixels for case in CASES])
    loader = CaseLoader(CASES, ResidentBank(images), batch_size=recipe.batch_size, seed=recipe.seed)
    weights = list(network.parameters())
    speeds = [torch.zeros_like(weight) for weight in weights]
    total, step = recipe.epochs * loader.batches_per_epoch, 0
    for _ in range(recipe.epochs):
        for drawn in (loader.draw() for _ in range(loader.batches_per_epoch)):
            inputs = Chain(TOY.blueprint.preprocessing).apply(drawn.images)
            loss = functional.cross_entropy(network(inputs), drawn.labels)
            slopes = torch.autograd.grad(loss, weights)
            norm = math.sqrt(sum(float(slope.square().sum()) for slope in slopes))
            scale = min(1.0, recipe.clip_norm / norm)
            for weight, slope, speed in zip(weights, slopes, speeds, strict=True):
                pull = slope * scale + recipe.weight_decay * weight.detach()
                speed.mul_(recipe.momentum).add_(pull)
                weight.data -= rate(step, total, recipe.learning_rate) * (pull + recipe.momentum * speed)
            step += 1
    return {name: tensor.detach() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        dataclasses.replace(RECIPE, clip_norm=0.05),
        dataclasses.replace(RECIPE, weight_decay=0.1, momentum=0.5),
    ],
    ids=["default", "clipped", "decayed"],
)
def test_the_recipe_is_what_it_says(recipe: Recipe) -> None:
    found = train(TOY.blueprint, recipe, CASES, TOY.pixels).state
    assert_close(found, by_hand(recipe), rtol=1e-3, atol=1e-4)


def test_the_oracle_tells_recipes_apart() -> None:
    found = train(TOY.blueprint, dataclasses.replace(RECIPE, clip_norm=0.05), CASES, TOY.pixels).state
    with pytest.raises(AssertionError, match="not close"):
        assert_close(found, by_hand(RECIPE), rtol=1e-3, atol=1e-4)
