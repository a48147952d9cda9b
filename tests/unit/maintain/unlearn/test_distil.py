from __future__ import annotations

import dataclasses

import pytest
import torch

from helpers.toy_requests import toy_champion, toy_request
from maintain.errors import RefusedError
from maintain.imaging import Chain, load_images, model_of
from maintain.records import Setting
from maintain.unlearn import METHODS, UnlearnRequest, load_method
from maintain.vocabulary import Claim, Role

FORGOTTEN = 12


def answers(state: dict[str, torch.Tensor], role: Role) -> torch.Tensor:
    toy, champion = toy_champion(FORGOTTEN)
    images = load_images(toy.pixels, [row.pixels for row in toy.rows if row.role is role])
    with torch.no_grad():
        network = model_of(toy.spec(recipe=champion.recipe), state)
        found: torch.Tensor = network(Chain(toy.blueprint.preprocessing).apply(images)).softmax(dim=1)
    return found


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().mean())


def request() -> UnlearnRequest:
    return toy_request(FORGOTTEN, Setting("steps", 60), Setting("forget_batch", 12), Setting("retain_batch", 16))


def test_without_a_reference_it_is_refused() -> None:
    with pytest.raises(RefusedError, match="no reference to learn from"):
        load_method("distil-reference").unlearn(dataclasses.replace(request(), references=()))


def test_it_claims_a_group_alone() -> None:
    assert METHODS["distil-reference"].claims == (Claim.GROUP,)


def test_forgotten_cases_move_to_the_references_and_retained_ones_stay() -> None:
    _, champion = toy_champion(FORGOTTEN)
    asked = request()
    state = load_method("distil-reference").unlearn(asked).state
    reference = torch.stack([answers(dict(one), Role.FORGET) for one in asked.references]).mean(dim=0)
    before = distance(answers(champion.state, Role.FORGET), reference)
    assert distance(answers(state, Role.FORGET), reference) < 0.5 * before
    moved = distance(answers(state, Role.RETAIN), answers(champion.state, Role.RETAIN))
    assert moved < 0.5 * distance(answers(state, Role.FORGET), answers(champion.state, Role.FORGET))
