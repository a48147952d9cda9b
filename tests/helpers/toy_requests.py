"""Requests to unlearn on a toy model that learned its cases, for the tests of every method."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

from safetensors.torch import save

from maintain.imaging import Toy, toy_problem
from maintain.records import RoleTable, Setting, TrainingManifest
from maintain.unlearn import Trained, UnlearnRequest, Witness, default_recipe, train
from maintain.vocabulary import ManifestStatus, Role

#: Retained cases of the toy.
RETAINED = 48


@lru_cache
def toy_champion(forgotten: int) -> tuple[Toy, Trained]:
    """A toy with so many cases to forget, and the model that learned them and the retained ones."""
    toy = toy_problem(roles=((Role.RETAIN, RETAINED), (Role.FORGET, forgotten), (Role.VALIDATION, 12)))
    rows = [row for row in toy.rows if row.role in (Role.RETAIN, Role.FORGET)]
    recipe = dataclasses.replace(default_recipe(seed=3, epochs=3), batch_size=16)
    return toy, train(toy.blueprint, recipe, toy.blueprint.loader_cases(rows, Role.LEARN), toy.pixels)


def toy_request(forgotten: int, *options: Setting) -> UnlearnRequest:
    """The request to forget them; nothing judges, so a method ends with its last weights."""
    toy, champion = toy_champion(forgotten)
    manifest = TrainingManifest(
        model="toy",
        status=ManifestStatus.PROVEN,
        origin=champion.origin,
        learned=tuple(row.ref for row in toy.rows if row.role in (Role.RETAIN, Role.FORGET)),
        unlearned=(),
        selected_with=(),
    )
    return UnlearnRequest(
        spec=toy.spec(recipe=champion.recipe),
        manifest=manifest,
        parent_weights=champion.weights,
        read_parent=lambda: save(champion.state),
        roles=RoleTable(toy.rows),
        pixels=toy.pixels,
        options=options,
        seed=7,
        budget_steps=10_000,
        witness=Witness(),
        references=(toy.blueprint.build(11).state_dict(),),
    )
