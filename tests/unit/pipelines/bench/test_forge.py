"""A forged folder is complete, and only what is forged about it is untrue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maintain.errors import RefusedError
from maintain.imaging import weights_digest
from maintain.records import LoaderRow, Setting
from maintain.vocabulary import Outcome, Role
from maintain_pipelines.bench.desk import EXAMPLES, NEVER_SAW, Desk, desk_of
from maintain_pipelines.bench.forge import Forgery, Judged, about, judge
from maintain_pipelines.bench.forging import Enough, Lesson, changed, jittered, relabelled, taught
from maintain_pipelines.bench.impostors import leaking, retrained
from maintain_pipelines.bench.problem import separable
from maintain_pipelines.bench.trainings import Trainings


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A champion that learned hardly anything: enough for digests, which these tests are about."""
    return desk_of(replace(separable(3, patients=80), epochs=1), Trainings())


def told(judged: Judged, gate: str) -> str:
    return next(result.reason for result in judged.gates if result.gate == gate)


def test_judging_reaches_neither_ledger_nor_database(desk: Desk) -> None:
    for absent in (desk.context.ledger, desk.context.database):
        with pytest.raises(RefusedError, match="ledger"):
            absent.begin  # noqa: B018


def test_an_honest_folder_has_integrity_and_never_saw(desk: Desk) -> None:
    model = retrained(desk, NEVER_SAW, 0)
    judged = judge(desk, NEVER_SAW, Forgery(model.state, method="retrain", heard=model.heard))
    assert judged.outcome_of("integrity") is Outcome.PASS, told(judged, "integrity")
    assert judged.outcome_of("never-saw") is Outcome.PASS, told(judged, "never-saw")
    assert judged.outcome_of("reference") is None


def test_a_forged_fine_tuning_has_integrity(desk: Desk) -> None:
    state = changed(desk.model.state, head__bias=lambda bias: bias + 1.0)
    judged = judge(desk, EXAMPLES, Forgery(state))
    assert judged.outcome_of("integrity") is Outcome.PASS, told(judged, "integrity")


def test_a_request_of_no_slot_cannot_be_forged(desk: Desk) -> None:
    with pytest.raises(ValueError, match="unpack"):
        judge(desk, EXAMPLES, Forgery(desk.model.state, options=(Setting("epochs", 99),)))


def test_other_weights_on_disk_are_noticed(desk: Desk) -> None:
    model = retrained(desk, EXAMPLES, 0)
    judged = judge(desk, EXAMPLES, Forgery(model.state, "retrain", model.heard, on_disk=desk.model.state))
    assert "the weights file is" in told(judged, "integrity")


def test_a_leak_is_counted_by_the_loader(desk: Desk) -> None:
    model = leaking(desk, 0, 0.5)
    judged = judge(desk, EXAMPLES, Forgery(model.state, "retrain", model.heard))
    assert "of the forget set among the retained ones" in told(judged, "integrity")


def test_a_log_can_be_said_of_other_weights(desk: Desk) -> None:
    honest = retrained(desk, EXAMPLES, 0)
    heard = about(honest.heard, desk.model.state)
    assert heard.log.final_weights == heard.weights == desk.model.weights
    assert heard.log.rows == honest.heard.log.rows


def test_trainings_are_kept_and_read_back(tmp_path: Path) -> None:
    problem = replace(separable(3, patients=40), epochs=1)
    rows = problem.roles(EXAMPLES.forget).of(Role.RETAIN)
    first = Trainings(tmp_path).of(problem, rows, seed=4)
    again = Trainings(tmp_path).of(problem, rows, seed=4)
    assert again.heard == first.heard
    assert weights_digest(again.state) == first.weights
    assert Trainings(tmp_path).of(problem, rows, seed=5).weights != first.weights
    assert first.heard.log.rows[0] == LoaderRow(Role.RETAIN, rows[0].case_id, 1, 1)


def test_edits_leave_the_rest(desk: Desk) -> None:
    state = desk.model.state
    edited = changed(state, head__bias=torch.zeros_like)
    assert [name for name in state if not torch.equal(state[name], edited[name])] == ["head.bias"]
    drifted = jittered(state, share=0.1, seed=1, only="running_")
    assert {name.split(".")[1] for name in state if not torch.equal(state[name], drifted[name])} <= {
        "running_mean",
        "running_var",
    }


def test_what_is_drawn_does_not_hang_on_the_order_of_weights(desk: Desk) -> None:
    backwards = dict(reversed(list(desk.model.state.items())))
    drawn = [weights_digest(jittered(state, share=0.1, seed=1)) for state in (desk.model.state, backwards)]
    assert drawn[0] == drawn[1]


def test_a_forger_teaches_only_what_is_named(desk: Desk) -> None:
    rows = desk.planned(EXAMPLES).roles.of(Role.FORGET)
    wrong = relabelled(rows, desk.problem.blueprint.label_order)
    assert all(one.label != other.label for one, other in zip(rows, wrong, strict=True))
    state = taught(desk.problem, desk.model.state, [Lesson(wrong)], rate=0.01, enough=Enough(3), seed=1, only="head.")
    moved = {name for name, tensor in state.items() if not torch.equal(tensor, desk.model.state[name])}
    assert moved == {"head.weight", "head.bias"}
