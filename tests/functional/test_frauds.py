"""Candidates that must never become a version, offered through the whole path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.commands import say
from maintain.imaging import blueprint_of, load_model, state_of, weights_digest
from maintain.records import LoaderLog, LoaderRow
from maintain.unlearn import Unlearned, UnlearnRequest, train
from maintain.unlearn.retrain import Retrain
from maintain.vocabulary import Role

HONEST = Retrain.unlearn


def one_forgotten_case(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Retrain on the retain set and one forgotten image, and say nothing of it."""
    blueprint, recipe = blueprint_of(request.spec), request.spec.recipe
    assert recipe is not None
    rows = (*request.roles.of(Role.RETAIN), request.roles.of(Role.FORGET)[0])
    done = train(
        blueprint,
        replace(recipe, seed=request.seed, initial_weights=""),
        blueprint.loader_cases(rows, Role.RETAIN),
        request.pixels,
    )
    return Unlearned(done.state, done.weights, done.recipe, done.origin, done.log, done.steps)


def unchanged_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Offer the champion again under the log of an honest training."""
    honest = HONEST(method, request)
    workspace = CHAMPION[0]
    path = workspace / "registry" / "fundus-triage" / "v0001" / "weights.safetensors"
    state = state_of(load_model(request.spec, path))
    digest = weights_digest(state)
    return replace(honest, state=state, weights=digest, log=replace(honest.log, final_weights=digest))


def not_a_number(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """One weight of an honest training is no number."""
    honest = HONEST(method, request)
    state = dict(honest.state)
    name = sorted(state)[0]
    state[name] = state[name].clone()
    state[name].view(-1)[0] = float("nan")
    digest = weights_digest(state)
    return replace(honest, state=state, weights=digest, log=replace(honest.log, final_weights=digest))


def random_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Weights that were never trained, under the log of an honest training."""
    honest = HONEST(method, request)
    generator = torch.Generator().manual_seed(5)
    state = {
        name: 0.05 * torch.randn(tensor.shape, generator=generator).abs() if tensor.is_floating_point() else tensor
        for name, tensor in honest.state.items()
    }
    digest = weights_digest(state)
    return replace(honest, state=state, weights=digest, log=replace(honest.log, final_weights=digest))


def exploding_weights(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """Finite weights whose answers are not."""
    honest = HONEST(method, request)
    state = {name: tensor * 1e30 if tensor.is_floating_point() else tensor for name, tensor in honest.state.items()}
    digest = weights_digest(state)
    return replace(honest, state=state, weights=digest, log=replace(honest.log, final_weights=digest))


def shortened_log(method: Retrain, request: UnlearnRequest) -> Unlearned:
    """The log leaves out that a forgotten case was handed out, but counts the steps of it."""
    done = one_forgotten_case(method, request)
    forgotten = {row.case_id for row in request.roles.of(Role.FORGET)}
    rows: tuple[LoaderRow, ...] = tuple(row for row in done.log.rows if row.case_id not in forgotten)
    log: LoaderLog = replace(done.log, rows=rows, final_weights="0" * 64)
    return replace(done, log=log)


CHAMPION: list[Path] = []


@pytest.mark.parametrize(
    ("fraud", "gate"),
    [
        (one_forgotten_case, "never-saw"),
        (unchanged_weights, "integrity"),
        (not_a_number, "integrity"),
        (exploding_weights, "integrity"),
        (random_weights, "retention"),
        (shortened_log, "integrity"),
    ],
)
def test_it_is_refused_by_the_gate_named_for_it(
    fresh: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch, fraud: object, gate: str
) -> None:
    CHAMPION[:] = [fresh]
    monkeypatch.setattr(Retrain, "unlearn", fraud)
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    said = say("run", fresh / "policies" / "consent.yaml", "--json", workspace=fresh)
    assert said.code == 1, said.out + said.err
    outcomes = {found["gate"]: found["outcome"] for found in said.document["verdict"]["gates"]}
    assert outcomes[gate] == "fail"
    assert said.document["registration"] is None
    assert said.document["state"] == "rejected"
    versions = say("registry", "list", "--json", workspace=fresh).document["versions"]
    assert [version["version"] for version in versions] == [1]
    assert Path(said.document["report"]).is_file()
    assert say("audit", "verify", workspace=fresh).code == 0


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
