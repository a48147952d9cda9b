from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from helpers.toy_scenes import toy_scene
from maintain.unlearn.multiplier import RATE, SPAN, Multiplier
from maintain.unlearn.objective import Scene


def batch(scene: Scene) -> tuple[Tensor, Tensor]:
    drawn = scene.feed.retain.draw()
    return scene.chain.apply(drawn.images), drawn.labels


def test_without_a_bound_it_stays_and_the_champion_is_not_asked() -> None:
    scene = toy_scene(5)
    weight = Multiplier(scene, start=2.5, drop=0.0)
    unread = torch.empty(0)
    assert float(weight.times(torch.tensor(4.0), unread, unread)) == 10.0
    assert float(weight.value) == 2.5


@pytest.mark.parametrize("rise", [-0.3, 0.0, 0.02, 0.05, 0.07, 3.0])
def test_it_is_the_formula_that_is_stated(rise: float) -> None:
    scene, drop = toy_scene(5), 0.05
    weight = Multiplier(scene, start=2.0, drop=drop)
    inputs, labels = batch(scene)
    with torch.no_grad():
        before = scene.rule.loss(scene.freeze()(inputs), labels)
    phi = 2.0
    for _ in range(40):
        loss = before + rise
        assert float(weight.times(loss, inputs, labels)) == pytest.approx(phi * float(loss), rel=1e-5)
        over = min(max((float(loss - before) - drop) / drop, -1.0), 1.0)
        phi = min(max(phi * math.exp(RATE * over), 2.0 / SPAN), 2.0 * SPAN)
        assert float(weight.value) == pytest.approx(phi, rel=1e-6)
    assert (phi > 2.0) == (rise > drop) or rise == drop


def test_what_it_weighs_keeps_its_slope_and_the_champion_gets_none() -> None:
    scene = toy_scene(5)
    weight = Multiplier(scene, start=3.0, drop=0.1)
    inputs, labels = batch(scene)
    weight.times(scene.rule.loss(scene.network(inputs), labels), inputs, labels).backward()  # type: ignore[no-untyped-call]
    slopes = [slope.grad.clone() for slope in scene.network.parameters() if slope.grad is not None]
    scene.network.zero_grad()
    scene.rule.loss(scene.network(inputs), labels).backward()  # type: ignore[no-untyped-call]
    plain = [slope.grad for slope in scene.network.parameters() if slope.grad is not None]
    assert len(slopes) == len(plain)
    for weighed, alone in zip(slopes, plain, strict=True):
        torch.testing.assert_close(weighed, 3.0 * alone)
