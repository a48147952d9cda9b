"""No impostor passes, and each is failed by the gate that was named for it beforehand.

A seeded slice of the campaign (`benchmarks/results/verifier_trial.md`): one smaller champion, every impostor once,
judged by the verify stage's own code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from helpers.commands import say
from maintain.errors import NotEvaluatedError
from maintain.imaging import save_weights, state_of, threads
from maintain.records import Network
from maintain.vocabulary import Outcome
from maintain_pipelines.bench import (
    EXAMPLES,
    HONEST,
    IMPOSTORS,
    Desk,
    Forgery,
    Honest,
    Impostor,
    Signal,
    Trainings,
    check_signal,
    desk_of,
    judge,
    separable,
    signal_of,
    verdict_of,
)
from maintain_pipelines.bench import verifier as trials

#: The smallest problem on which half-remembered patients are still seen: about 550 forgotten cases.
SEED, PATIENTS = 1, 1400

CAUGHT = tuple(impostor for impostor in IMPOSTORS if not impostor.beyond)
BEYOND = {impostor.name: impostor for impostor in IMPOSTORS if impostor.beyond}

#: Honest candidates that share a training; the campaign counts them all.
SLICE = tuple(honest for honest in HONEST if honest.name in ("retrain-examples", "retrain-by-behaviour"))


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A champion that learned by heart; nothing is tried on one that did not."""
    with threads(1):
        made = desk_of(separable(SEED, patients=PATIENTS), Trainings())
        check_signal(signal_of(made))
    return made


@pytest.mark.parametrize("impostor", CAUGHT, ids=lambda impostor: impostor.name)
def test_an_impostor_fails_by_the_gate_named_for_it(desk: Desk, impostor: Impostor) -> None:
    with threads(1):
        judged = verdict_of(desk, impostor, 0)
    assert judged.outcome is Outcome.FAIL, judged.reason
    assert judged.outcome_of(impostor.gate) is Outcome.FAIL, judged.gates


def test_what_no_gate_can_see_is_published_and_not_dropped(desk: Desk) -> None:
    with threads(1):
        judged = {name: verdict_of(desk, impostor, 0) for name, impostor in BEYOND.items()}
    forged = judged["forged-log-and-manifest"]
    assert forged.outcome is Outcome.PASS
    assert forged.outcome_of("membership") is Outcome.FAIL, "behaviour is reported beside the digests that lie"
    assert judged["forged-references"].outcome is not Outcome.FAIL
    assert all(impostor.beyond for impostor in BEYOND.values())


@pytest.mark.parametrize("honest", SLICE, ids=lambda honest: honest.name)
def test_an_honest_retrain_is_not_failed(desk: Desk, honest: Honest) -> None:
    with threads(1):
        judged = verdict_of(desk, honest, 0)
    assert judged.outcome is not Outcome.FAIL, judged.reason


def test_a_forged_folder_is_judged_without_ledger_and_database(desk: Desk) -> None:
    with pytest.raises(Exception, match="ledger"):
        desk.context.ledger.begin(desk.context.database)
    assert judge(desk, EXAMPLES, Forgery(desk.model.state)).outcome is Outcome.FAIL


def test_nothing_is_tried_where_nothing_leaks() -> None:
    with pytest.raises(NotEvaluatedError, match="No signal"):
        check_signal(Signal(auc=0.71, gap=0.3))
    with pytest.raises(NotEvaluatedError, match="No signal"):
        check_signal(Signal(auc=0.9, gap=0.19))
    check_signal(Signal(auc=0.72, gap=0.20))


# --- the command -----------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    """The command on the champion of this file, and on three rows."""
    monkeypatch.setattr("maintain_pipelines.bench.desk.desk_of", lambda problem, trainings: desk)
    monkeypatch.setattr(trials, "IMPOSTORS", (CAUGHT[0], CAUGHT[1], BEYOND["forged-log-and-manifest"]))
    monkeypatch.setattr(trials, "HONEST", HONEST[:1])
    monkeypatch.setattr(trials, "signal_of", lambda _: Signal(auc=0.8, gap=0.3))


def test_the_trial_counts_each_row(small: None) -> None:
    said = say("bench", "verifier", "--json")
    assert said.code == 0, said.err
    document = said.document
    assert document["schema"] == "maintain.cli.bench-verifier"
    for row in (*document["impostors"], *document["honest"], *document["beyond_gates"]):
        assert row["runs"] == 1 == row["pass"] + row["fail"] + row["not_evaluated"]
    assert [row["failed_by_named_gate"] for row in document["impostors"]] == [1, 1]
    assert [row["pass"] for row in document["honest"]] == [1]
    assert document["beyond_gates"][0]["reason"]
    assert document["signal"][0]["auc"] >= 0.72


def test_an_impostor_that_passes_ends_with_one(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    fooling = Impostor("fooling", "Named as caught.", EXAMPLES, "membership", BEYOND["forged-log-and-manifest"].make)
    monkeypatch.setattr(trials, "IMPOSTORS", (fooling,))
    said = say("bench", "verifier")
    assert said.code == 1
    assert "Passed: fooling." in said.out


def test_a_champion_without_signal_ends_with_three(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LEAST_AUC", 0.99)
    said = say("bench", "verifier")
    assert said.code == 3
    assert "No signal" in said.err


def test_weights_from_anywhere_are_judged(small: None, tmp_path: Path, desk: Desk) -> None:
    for name, state, code in (
        ("champion", desk.model.state, 1),
        ("nan", {key: value * float("nan") for key, value in desk.model.state.items()}, 1),
    ):
        save_weights(tmp_path / f"{name}.safetensors", _plain(state, desk))
        said = say("bench", "verifier", "--candidate", tmp_path / f"{name}.safetensors", "--json")
        assert said.code == code, said.err
        assert said.document["outcome"] == "fail"
        assert said.document["gates"]


def test_a_file_that_is_no_such_network_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "letter.safetensors"
    text.write_text("no weights")
    other = tmp_path / "other.safetensors"
    save_file({"layer.weight": torch.zeros(3, 3)}, other)
    narrow = tmp_path / "narrow.safetensors"
    save_weights(narrow, _narrow())
    for path, told in (
        (tmp_path / "nowhere.safetensors", "cannot be read"),
        (text, "not a whole safetensors file"),
        (tmp_path, "cannot be read"),
        (other, "another network"),
        (narrow, "another network"),
    ):
        said = say("bench", "verifier", "--candidate", path)
        assert said.code == 2, said.err
        assert told in said.err
        assert "Traceback" not in said.err


def _narrow() -> Any:
    from maintain.imaging import build_network

    return state_of(build_network(Network("small-bn"), input_shape=(3, 8, 8), outputs=2, seed=0))


def _plain(state: Any, desk: Desk) -> Any:
    """Counters of batches stay whole numbers, whatever was done to the weights."""
    return {name: tensor.to(desk.model.state[name].dtype) for name, tensor in state.items()}
