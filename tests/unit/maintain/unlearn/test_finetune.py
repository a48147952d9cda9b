from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from maintain import codec
from maintain.errors import DamagedError, InputError, RefusedError, UnknownNameError, WaitingError
from maintain.imaging import read_weights_bytes, save_weights, toy_problem, weights_digest
from maintain.records import Origin, RoleTable, Setting, TrainingManifest
from maintain.unlearn import (
    METHODS,
    Heard,
    Start,
    UnlearnRequest,
    Witness,
    continued_recipe,
    default_recipe,
    load_method,
    read_start,
    train,
)
from maintain.vocabulary import Claim, ManifestStatus, OriginKind, Role

TOY = toy_problem(roles=((Role.RETAIN, 30), (Role.FORGET, 12), (Role.SUPPRESSED, 2), (Role.HOLDOUT, 6)))
RECIPE = dataclasses.replace(default_recipe(seed=3, epochs=2), batch_size=16)
LEARNED = tuple(row for row in TOY.rows if row.role in (Role.RETAIN, Role.FORGET))
PARENT = train(TOY.blueprint, RECIPE, TOY.blueprint.loader_cases(LEARNED, Role.LEARN), TOY.pixels)
MANIFEST = TrainingManifest(
    model="toy",
    status=ManifestStatus.PROVEN,
    origin=PARENT.origin,
    learned=tuple(row.ref for row in LEARNED),
    unlearned=(),
    selected_with=(),
)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("parent") / "weights.safetensors"
    save_weights(path, PARENT.state)
    return path.read_bytes()


@pytest.fixture
def request_(parent: bytes) -> UnlearnRequest:
    return UnlearnRequest(
        spec=TOY.spec(recipe=PARENT.recipe),
        manifest=MANIFEST,
        parent_weights=PARENT.weights,
        read_parent=lambda: parent,
        roles=RoleTable(TOY.rows),
        pixels=TOY.pixels,
        options=(),
        seed=5,
        budget_steps=100,
        witness=Witness(),
    )


def unlearned(request: UnlearnRequest, *options: Setting) -> Heard:
    made = load_method("finetune").unlearn(dataclasses.replace(request, options=options))
    return request.witness.of(made.state)


def statistics(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in state.items() if "running" in name}


def test_it_never_claims_that_the_cases_were_not_seen() -> None:
    info = METHODS["finetune"]
    assert Claim.NEVER_SAW not in info.claims
    assert not info.consumes_forget
    assert "control" in info.doc
    assert "not once" in info.doc


def test_other_weights_than_the_parents_are_damaged(request_: UnlearnRequest) -> None:
    other = dataclasses.replace(request_, parent_weights="0" * 64)
    with pytest.raises(DamagedError, match="have changed"):
        load_method("finetune").unlearn(other)


def test_a_start_under_the_digest_of_others_is_refused(parent: bytes) -> None:
    state = read_weights_bytes(parent)
    cases = TOY.blueprint.loader_cases(LEARNED[:20], Role.RETAIN)
    witness = Witness()
    with pytest.raises(DamagedError, match="not those that their digest names"):
        train(TOY.blueprint, RECIPE, cases, TOY.pixels, start=Start(state, "0" * 64, "m"), witness=witness)
    named = dataclasses.replace(RECIPE, initial_weights="another")
    with pytest.raises(InputError, match="other initial weights"):
        train(TOY.blueprint, named, cases, TOY.pixels, start=Start(state, PARENT.weights, "m"), witness=witness)
    small = {name: tensor for name, tensor in state.items() if name != "head.bias"}
    with pytest.raises(InputError, match="weights of another network"):
        train(TOY.blueprint, RECIPE, cases, TOY.pixels, start=Start(small, weights_digest(small), "m"))
    assert witness.steps == 0


def test_what_cannot_be_used_is_said_before_anything_is_read(request_: UnlearnRequest) -> None:
    unread = dataclasses.replace(request_, read_parent=lambda: pytest.fail("the parent's weights were read"))
    method = load_method("finetune")
    for change, said in (
        ({"spec": TOY.spec()}, "no recipe"),
        ({"budget_steps": 5}, "takes 6 steps; the budget is 5"),
        ({"roles": RoleTable(tuple(row for row in TOY.rows if row.role is Role.FORGET))}, "No case is retained"),
        ({"manifest": dataclasses.replace(MANIFEST, status=ManifestStatus.UNKNOWN)}, "Nobody says"),
    ):
        request = dataclasses.replace(unread, **change)
        assert said in " ".join(finding.reason for finding in method.eligible(request).blocking)
        with pytest.raises(InputError, match=said):
            method.unlearn(request)


def test_a_champion_that_learned_suppressed_cases_is_not_gone_on_from(request_: UnlearnRequest) -> None:
    suppressed = tuple(row.ref for row in TOY.rows if row.role is Role.SUPPRESSED)
    manifest = dataclasses.replace(MANIFEST, learned=(*MANIFEST.learned, *suppressed))
    found = load_method("finetune").eligible(dataclasses.replace(request_, manifest=manifest))
    assert "learned from 2 cases that may no longer be used" in found.blocking[0].reason
    assert load_method("finetune").eligible(request_).ok


@pytest.mark.parametrize(
    ("option", "error"),
    [
        (Setting("epoch", 1), UnknownNameError),
        (Setting("epochs", 0), InputError),
        (Setting("learning_rate_share", 1.5), InputError),
        (Setting("freeze_norms", "yes"), InputError),
    ],
)
def test_wrong_options_are_refused(request_: UnlearnRequest, option: Setting, error: type[Exception]) -> None:
    with pytest.raises(error):
        unlearned(request_, option)


def test_it_goes_on_from_the_parent_on_retained_cases_alone(request_: UnlearnRequest) -> None:
    heard = unlearned(request_, Setting("epochs", 2))
    retained = request_.roles.of(Role.RETAIN)
    assert [(row.role, row.case_id, row.times_seen) for row in heard.log.rows] == [
        (Role.RETAIN, row.case_id, 2) for row in retained
    ]
    assert heard.origin == heard.log.origin
    assert heard.origin == Origin(OriginKind.CHECKPOINT, PARENT.weights, codec.digest_of(MANIFEST))
    assert heard.steps == 4
    assert heard.weights != PARENT.weights
    assert heard.recipe == dataclasses.replace(
        continued_recipe(PARENT.recipe, epochs=2, learning_rate_share=0.2, seed=5), initial_weights=PARENT.weights
    )
    assert heard.recipe.learning_rate == pytest.approx(0.01)


def test_it_is_gentle_where_the_rate_is_small(request_: UnlearnRequest) -> None:
    made = [
        load_method("finetune").unlearn(dataclasses.replace(request_, options=(Setting("learning_rate_share", share),)))
        for share in (0.001, 1.0)
    ]
    moved = [
        float(sum((result.state[name] - PARENT.state[name]).abs().sum() for name in ("fc.weight", "head.weight")))
        for result in made
    ]
    assert 0 < moved[0] < moved[1] / 10


def test_running_statistics_stay_unless_they_are_let_go(request_: UnlearnRequest) -> None:
    method, before = load_method("finetune"), statistics(PARENT.state)
    assert before
    frozen = statistics(method.unlearn(request_).state)
    assert all(torch.equal(frozen[name], tensor) for name, tensor in before.items())
    loose = dataclasses.replace(request_, options=(Setting("freeze_norms", False),))
    moved = statistics(method.unlearn(loose).state)
    assert not any(torch.equal(moved[name], tensor) for name, tensor in before.items())


def test_equal_requests_give_equal_bytes_and_an_interrupted_one_goes_on(
    request_: UnlearnRequest, tmp_path: Path
) -> None:
    kept = dataclasses.replace(request_, checkpoints=tmp_path, witness=Witness())
    with pytest.raises(WaitingError):
        load_method("finetune").unlearn(dataclasses.replace(kept, stop=lambda: True))
    with pytest.raises(RefusedError):
        kept.witness.of(PARENT.state)
    resumed = unlearned(kept)
    assert resumed == unlearned(request_)
    with pytest.raises(InputError, match="another training"):
        unlearned(dataclasses.replace(kept, seed=kept.seed + 1))
    unlearned(kept, Setting("freeze_norms", False))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_start_names_what_its_weights_learned(parent: bytes) -> None:
    start = read_start(lambda: parent, weights=PARENT.weights, manifest="m")
    assert start.origin == Origin(OriginKind.CHECKPOINT, PARENT.weights, "m")
    assert start.freeze_norms
