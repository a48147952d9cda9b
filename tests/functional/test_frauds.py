"""Candidates that must never become a version, offered through the whole path.

Twice: before the witness, who was there when the loop trained, and before the gates alone, with a
witness who swears to whatever weights it is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
import torch

from helpers.commands import Said, say
from maintain.imaging import State, blueprint_of, load_model, state_of, weights_digest
from maintain.unlearn import Heard, Unlearned, UnlearnRequest, Witness, train
from maintain.unlearn.finetune import Finetune
from maintain.unlearn.retrain import Retrain
from maintain.vocabulary import Role

Fraud: TypeAlias = Callable[[Retrain, UnlearnRequest], Unlearned]

HONEST = Retrain.unlearn
TRUTHFUL = Witness.of
CHAMPION: list[Path] = []


def one_forgotten_case(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Retrain on the retain set and one forgotten image, and say nothing of it."""
    return with_a_forgotten_case(request, request.witness)


def finetune_in_disguise(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Go on from the champion, which learned the forgotten cases, and call it a retrain."""
    return Finetune().unlearn(request)


def training_nobody_saw(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """The same behind the witness's back."""
    return with_a_forgotten_case(request, None)


def forgotten_first(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Train with a forgotten case out of sight; an honest training is what the witness sees."""
    HONEST(method, request)
    return with_a_forgotten_case(request, Witness())


def unchanged_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Offer the champion again after an honest training."""
    HONEST(method, request)
    path = CHAMPION[0] / "registry" / "fundus-triage" / "v0001" / "weights.safetensors"
    return Unlearned(state_of(load_model(request.spec, path)))


def not_a_number(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """One weight of an honest training is no number."""
    state = dict(HONEST(method, request).state)
    name = sorted(state)[0]
    state[name] = state[name].clone()
    state[name].view(-1)[0] = float("nan")
    return Unlearned(state)


def random_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Weights that were never trained, after an honest training."""
    generator = torch.Generator().manual_seed(5)
    return Unlearned(
        {
            name: 0.05 * torch.randn(tensor.shape, generator=generator).abs() if tensor.is_floating_point() else tensor
            for name, tensor in HONEST(method, request).state.items()
        }
    )


def exploding_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Finite weights whose answers are not."""
    state = HONEST(method, request).state
    return Unlearned({name: 1e30 * tensor if tensor.is_floating_point() else tensor for name, tensor in state.items()})


def swears(witness: Witness, state: State) -> Heard:
    """A witness who swears that an honest training ended with these weights."""
    (heard,) = witness._heard.values()
    weights = weights_digest(state)
    return replace(heard, weights=weights, log=replace(heard.log, final_weights=weights))


def leaves_out(witness: Witness, state: State) -> Heard:
    """A witness whose log leaves out cases that the manifest of an honest stage would list."""
    heard = TRUTHFUL(witness, state)
    rows = tuple(row for row in heard.log.rows if row.times_seen == 0)
    return replace(heard, log=replace(heard.log, rows=rows, final_weights="0" * 64))


@pytest.mark.parametrize(
    "fraud",
    [training_nobody_saw, forgotten_first, unchanged_weights, not_a_number, random_weights, exploding_weights],
)
def test_weights_that_the_witness_never_heard_of_are_refused(
    fresh: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch, fraud: Fraud
) -> None:
    said = offered(fresh, hospital, monkeypatch, fraud)
    assert said.code == 1, said.out + said.err
    assert "no training under its witness ended with" in said.err
    (row,) = say("runs", "list", "--json", workspace=fresh).document["runs"]
    assert row["state"] == "failed"
    assert list((fresh / "runs").glob("*/05-report.html"))
    assert not list((fresh / "runs").glob("*/02-candidate.json"))
    nothing_registered(fresh)


@pytest.mark.parametrize(
    ("fraud", "witness", "gate"),
    [
        (one_forgotten_case, TRUTHFUL, "never-saw"),
        (finetune_in_disguise, TRUTHFUL, "never-saw"),
        (one_forgotten_case, leaves_out, "integrity"),
        (unchanged_weights, swears, "integrity"),
        (not_a_number, swears, "integrity"),
        (exploding_weights, swears, "integrity"),
        (random_weights, swears, "retention"),
    ],
)
def test_it_is_refused_by_the_gate_named_for_it(
    fresh: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch, fraud: Fraud, witness: object, gate: str
) -> None:
    monkeypatch.setattr(Witness, "of", witness)
    said = offered(fresh, hospital, monkeypatch, fraud)
    assert said.code == 1, said.out + said.err
    outcomes = {found["gate"]: found["outcome"] for found in said.document["verdict"]["gates"]}
    assert outcomes[gate] == "fail"
    assert said.document["registration"] is None
    assert said.document["state"] == "rejected"
    assert Path(said.document["report"]).is_file()
    nothing_registered(fresh)


def test_an_error_inside_a_method_leaves_a_failed_run(
    fresh: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(method: Retrain, request: UnlearnRequest) -> Unlearned:
        raise RuntimeError("the device fell off the bus")

    monkeypatch.setattr(Retrain, "unlearn", broken)
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    said = say("run", fresh / "policies" / "consent.yaml", workspace=fresh)
    assert said.code == 4
    assert "error inside the program (RuntimeError)" in said.err
    assert "fell off" not in said.err
    (row,) = say("runs", "list", "--json", workspace=fresh).document["runs"]
    assert row["state"] == "failed"
    shown = say("runs", "show", row["run"], workspace=fresh)
    assert shown.code == 4
    assert "fell off" not in shown.out
    assert list((fresh / "runs").glob("*/05-report.html"))


# --- private ---------------------------------------------------------------------------------------


def with_a_forgotten_case(request: UnlearnRequest, witness: Witness | None) -> Unlearned:
    blueprint, recipe = blueprint_of(request.spec), request.spec.recipe
    assert recipe is not None
    rows = (*request.roles.of(Role.RETAIN), request.roles.of(Role.FORGET)[0])
    done = train(
        blueprint,
        replace(recipe, seed=request.seed, initial_weights=""),
        blueprint.loader_cases(rows, Role.RETAIN),
        request.pixels,
        witness=witness,
    )
    return Unlearned(done.state)


def offered(workspace: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch, fraud: Fraud) -> Said:
    CHAMPION[:] = [workspace]
    monkeypatch.setattr(Retrain, "unlearn", fraud)
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    return say("run", workspace / "policies" / "consent.yaml", "--json", workspace=workspace)


def nothing_registered(workspace: Path) -> None:
    versions = say("registry", "list", "--json", workspace=workspace).document["versions"]
    assert [version["version"] for version in versions] == [1]
    assert say("audit", "verify", workspace=workspace).code == 0
