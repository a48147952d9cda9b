"""Requests to unlearn on a toy model that learned its cases, for the tests of every method."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import torch
from safetensors.torch import save
from torch import Tensor, nn

from maintain.codec import digest_of
from maintain.imaging import State, Toy, toy_problem
from maintain.imaging.augmentation import NO_AUGMENTATION
from maintain.imaging.blueprint import blueprint_of
from maintain.imaging.pixels import load_images
from maintain.imaging.transforms import Chain
from maintain.records import PlannedCase, RoleTable, Setting, TrainingManifest
from maintain.unlearn import Trained, UnlearnRequest, Witness, default_recipe, read_start, train
from maintain.unlearn.course import Course
from maintain.unlearn.feed import Feed
from maintain.unlearn.objective import Objective
from maintain.unlearn.revision import loader_of
from maintain.unlearn.session import Training
from maintain.vocabulary import ManifestStatus, Role

#: Retained cases of the toy.
RETAINED = 48
#: The labels of the toy, taken in turn by its cases.
TOY_LABELS = ("left", "middle", "right")


@lru_cache
def toy_champion(forgotten: int, label: str | None = None) -> tuple[Toy, Trained]:
    """A toy with so many cases to forget, and the model that learned them and the retained ones.

    With a label, they are all its cases that were ever learned from: none of it is retained.
    """
    drawn = forgotten if label is None else forgotten * len(TOY_LABELS)
    toy = toy_problem(roles=((Role.RETAIN, RETAINED), (Role.FORGET, drawn), (Role.VALIDATION, 12)))
    if label is not None:
        toy = dataclasses.replace(toy, rows=tuple(row for row in toy.rows if _stays(row, label)))
    rows = [row for row in toy.rows if row.role in (Role.RETAIN, Role.FORGET)]
    recipe = dataclasses.replace(default_recipe(seed=3, epochs=3), batch_size=16)
    return toy, train(toy.blueprint, recipe, toy.blueprint.loader_cases(rows, Role.LEARN), toy.pixels)


def toy_request(forgotten: int, *options: Setting, label: str | None = None) -> UnlearnRequest:
    """The request to forget them; nothing judges, so a method ends with its last weights."""
    toy, champion = toy_champion(forgotten, label)
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
    )


def toy_training(objective: Objective, course: Course, *, forgotten: int = 12) -> Training:
    """The training that a revision of the toy champion would be, for tests that look inside one."""
    request = toy_request(forgotten)
    blueprint = blueprint_of(request.spec)
    feed = Feed(
        loader_of(request, blueprint, Role.RETAIN, course.batch_size),
        loader_of(request, blueprint, Role.FORGET, course.forget_batch),
    )
    start = read_start(request.read_parent, weights=request.parent_weights, manifest=digest_of(request.manifest))
    return Training(
        blueprint=blueprint,
        course=course,
        objective=objective,
        feed=feed,
        seed=request.seed,
        augmentation=NO_AUGMENTATION,
        start=start,
    )


def toy_inputs(role: Role, *, forgotten: int = 12, label: str | None = None) -> tuple[Tensor, Tensor]:
    """Every case of a role as the toy network reads it, in the loader's order, and the labels."""
    toy, _ = toy_champion(forgotten, label)
    cases = toy.blueprint.loader_cases([row for row in toy.rows if row.role is role], role)
    images = load_images(toy.pixels, [case.pixels for case in cases])
    return Chain(toy.blueprint.preprocessing).apply(images), torch.tensor([case.label for case in cases])


def toy_network(state: State) -> nn.Module:
    """The toy network with these weights, answering only."""
    network = toy_problem().blueprint.build(0)
    network.load_state_dict(state)
    return network.eval()


def toy_outputs(state: State, role: Role, *, forgotten: int = 12, label: str | None = None) -> tuple[Tensor, Tensor]:
    """What the toy network answers with these weights for every case of a role, and the labels."""
    inputs, labels = toy_inputs(role, forgotten=forgotten, label=label)
    with torch.no_grad():
        outputs: Tensor = toy_network(state)(inputs)
    return outputs, labels


# --- private ---------------------------------------------------------------------------------------


def _stays(row: PlannedCase, label: str) -> bool:
    """Whether a row fits where this whole label is forgotten: of its cases alone, and none of them retained."""
    return row.role is Role.VALIDATION or (row.role is Role.FORGET) == (row.label == label)
