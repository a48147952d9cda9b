"""Rows are counted as they are, and an impostor's gate is named before it is tried."""

from __future__ import annotations

import pytest

from maintain.gates import GATES, gates_for
from maintain.records import GateResult
from maintain.vocabulary import Outcome
from maintain_pipelines.bench.forge import Judged
from maintain_pipelines.bench.honest import HONEST
from maintain_pipelines.bench.impostors import IMPOSTORS, Impostor
from maintain_pipelines.bench.verifier import Signal, champions_for, counted, tally


def judged(outcome: Outcome, gate: str, found: Outcome) -> Judged:
    return Judged(outcome, "", (GateResult(gate, found, True, ""),))


def test_every_name_is_used_once() -> None:
    names = [candidate.name for candidate in (*IMPOSTORS, *HONEST)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("impostor", IMPOSTORS, ids=lambda impostor: impostor.name)
def test_the_named_gate_is_one_of_its_claim(impostor: Impostor) -> None:
    assert impostor.gate in {info.name for info in gates_for(impostor.story.claim)}
    assert impostor.gate in GATES


def test_a_row_counts_each_outcome_apart() -> None:
    row = tally(
        "impostor",
        [
            judged(Outcome.FAIL, "membership", Outcome.FAIL),
            judged(Outcome.FAIL, "membership", Outcome.NOT_EVALUATED),
            judged(Outcome.NOT_EVALUATED, "membership", Outcome.NOT_EVALUATED),
            judged(Outcome.PASS, "membership", Outcome.PASS),
        ],
        "membership",
    )
    assert row.document() == {
        "name": "impostor",
        "runs": 4,
        "pass": 1,
        "fail": 2,
        "not_evaluated": 1,
        "named_gate": "membership",
        "failed_by_named_gate": 1,
    }


def test_a_trial_is_fooled_by_what_passed_although_a_gate_was_named() -> None:
    found = {
        one.name: [
            judged(Outcome.PASS if one.beyond or one.name == "half-memorised" else Outcome.FAIL, "x", Outcome.FAIL)
        ]
        for one in IMPOSTORS
    } | {one.name: [judged(Outcome.PASS, "x", Outcome.PASS)] for one in HONEST}
    trial = counted(found, [Signal(0.8, 0.3)])
    assert trial.fooled == ("half-memorised",)
    assert {row.name for row in trial.beyond} == {one.name for one in IMPOSTORS if one.beyond}
    assert all(row["reason"] for row in trial.document()["beyond_gates"])


@pytest.mark.parametrize(("runs", "champions"), [(1, 1), (3, 1), (4, 2), (60, 20)])
def test_runs_are_spread_over_champions(runs: int, champions: int) -> None:
    assert champions_for(runs) == champions
