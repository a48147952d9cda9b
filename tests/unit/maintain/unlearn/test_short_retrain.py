from __future__ import annotations

import dataclasses

import pytest

from helpers.toy_requests import toy_request
from maintain.errors import InputError
from maintain.records import Setting
from maintain.unlearn import METHODS, load_method
from maintain.vocabulary import Claim, OriginKind, Role

FORGOTTEN = 12


def test_a_model_without_a_recipe_is_refused() -> None:
    request = toy_request(FORGOTTEN)
    without = dataclasses.replace(request, spec=dataclasses.replace(request.spec, recipe=None))
    with pytest.raises(InputError, match="no recipe"):
        load_method("short-retrain").unlearn(without)


def test_it_begins_anew_and_its_recipe_is_the_short_one() -> None:
    request = toy_request(FORGOTTEN, Setting("epochs", 2))
    heard = request.witness.of(load_method("short-retrain").unlearn(request).state)
    assert heard.origin.kind is OriginKind.INITIALISATION
    assert heard.recipe is not None
    assert request.spec.recipe is not None
    assert heard.recipe == dataclasses.replace(
        request.spec.recipe, epochs=2, seed=request.seed, initial_weights=heard.origin.weights
    )
    assert {row.role for row in heard.log.rows} == {Role.RETAIN}
    assert Claim.NEVER_SAW in METHODS["short-retrain"].claims


def test_it_never_takes_more_passes_than_the_recipe() -> None:
    request = toy_request(FORGOTTEN, Setting("epochs", 50))
    heard = request.witness.of(load_method("short-retrain").unlearn(request).state)
    assert heard.recipe is not None
    assert request.spec.recipe is not None
    assert heard.recipe.epochs == request.spec.recipe.epochs
