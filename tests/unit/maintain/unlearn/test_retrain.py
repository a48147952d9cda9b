from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from maintain.errors import InputError, UnknownNameError, WaitingError
from maintain.imaging import toy_problem, weights_digest
from maintain.records import Origin, RoleTable, Setting, TrainingManifest
from maintain.unlearn import UnlearnRequest, Witness, default_recipe, load_method, train
from maintain.vocabulary import ManifestStatus, OriginKind, Role

TOY = toy_problem(roles=((Role.RETAIN, 30), (Role.FORGET, 12), (Role.HOLDOUT, 6)))
RECIPE = dataclasses.replace(default_recipe(seed=3, epochs=2), batch_size=16, initial_weights="the parent's")
REQUEST = UnlearnRequest(
    spec=TOY.spec(recipe=RECIPE),
    manifest=TrainingManifest(
        model="toy",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, "the parent's"),
        learned=(),
        unlearned=(),
        selected_with=(),
    ),
    parent_weights="parent",
    read_parent=lambda: pytest.fail("a retrain never reads the parent's weights"),
    roles=RoleTable(TOY.rows),
    pixels=TOY.pixels,
    options=(),
    seed=5,
    budget_steps=100,
)


def test_a_model_without_a_recipe_is_refused() -> None:
    request = dataclasses.replace(REQUEST, spec=TOY.spec())
    assert not load_method("retrain").eligible(request).ok
    with pytest.raises(InputError, match="no recipe"):
        load_method("retrain").unlearn(request)


def test_options_and_a_small_budget_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="option of retrain"):
        load_method("retrain").unlearn(dataclasses.replace(REQUEST, options=(Setting("epochs", 3),)))
    with pytest.raises(InputError, match="the budget is 3"):
        load_method("retrain").unlearn(dataclasses.replace(REQUEST, budget_steps=3))


def test_only_retained_cases_are_ever_loaded_from_new_weights() -> None:
    request = dataclasses.replace(REQUEST, witness=Witness())
    heard = request.witness.of(load_method("retrain").unlearn(request).state)
    retained = REQUEST.roles.of(Role.RETAIN)
    assert [(row.role, row.case_id, row.times_seen) for row in heard.log.rows] == [
        (Role.RETAIN, row.case_id, 2) for row in retained
    ]
    initial = weights_digest(TOY.blueprint.build(5).state_dict())
    assert heard.origin == heard.log.origin == Origin(OriginKind.INITIALISATION, initial)
    assert heard.recipe == dataclasses.replace(RECIPE, seed=5, initial_weights=initial)
    assert heard.log.final_weights == heard.weights
    assert heard.steps == 4


def test_it_is_the_training_of_the_retained_cases_and_nothing_else() -> None:
    plain = train(
        TOY.blueprint,
        dataclasses.replace(RECIPE, seed=5, initial_weights=""),
        TOY.blueprint.loader_cases(REQUEST.roles.of(Role.RETAIN), Role.RETAIN),
        TOY.pixels,
    )
    forgotten = tuple(row for row in TOY.rows if row.role is not Role.FORGET)
    assert weights_digest(load_method("retrain").unlearn(REQUEST).state) == plain.weights
    without = dataclasses.replace(REQUEST, roles=RoleTable(forgotten))
    assert weights_digest(load_method("retrain").unlearn(without).state) == plain.weights


def test_an_interrupted_retrain_goes_on(tmp_path: Path) -> None:
    told: list[int] = []
    request = dataclasses.replace(
        REQUEST, checkpoints=tmp_path, progress=lambda epoch, epochs, loss: told.append(epoch)
    )
    with pytest.raises(WaitingError):
        load_method("retrain").unlearn(dataclasses.replace(request, stop=lambda: True))
    done = load_method("retrain").unlearn(request)
    assert told == [1, 2]
    assert weights_digest(done.state) == weights_digest(load_method("retrain").unlearn(REQUEST).state)
