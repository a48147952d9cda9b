from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import honest_evidence
from maintain.errors import InputError, UnknownNameError
from maintain.gates import GATES, build, evaluate, request_for
from maintain.records import GateRequest
from maintain.vocabulary import Outcome


def test_a_plan_without_gates_is_an_error() -> None:
    honest = honest_evidence()
    with pytest.raises(InputError, match="no gate"):
        evaluate(replace(honest, plan=replace(honest.plan, gates=())))


def test_an_unknown_gate_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="retention"):
        build(GateRequest("retenton", (), True))


def test_what_could_not_be_computed_is_not_evaluated_with_its_remedy() -> None:
    results = {result.gate: result for result in evaluate(honest_evidence(holdout=0))}
    assert results["retention"].outcome is Outcome.NOT_EVALUATED
    assert "Run the verify stage again" in results["retention"].reason


def test_any_other_error_ends_the_run() -> None:
    honest = honest_evidence()
    unresolved = (GateRequest("retention", (), True),)
    with pytest.raises(InputError, match="without a number"):
        evaluate(replace(honest, plan=replace(honest.plan, gates=unresolved)))


def test_exactly_the_requested_gates_run_in_their_order() -> None:
    honest = honest_evidence()
    asked = (request_for("retention", decisive=False), request_for("integrity"))
    results = evaluate(replace(honest, plan=replace(honest.plan, gates=asked)))
    assert [(result.gate, result.decisive) for result in results] == [
        ("retention", False),
        ("integrity", True),
    ]


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_row_of_the_table_has_a_class_of_that_name(name: str) -> None:
    assert build(request_for(name)).name == name
