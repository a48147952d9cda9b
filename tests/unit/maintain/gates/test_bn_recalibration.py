from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.behaviour import (
    LIFT,
    RECALIBRATED,
    examples_evidence,
    group_evidence,
    judged,
    label_evidence,
    margins_of,
    with_answers,
    with_margins,
)
from helpers.evidence import CANDIDATE
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, build, request_for
from maintain.records import GateResult, PlannedCase
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence) -> GateResult:
    return judged("bn-recalibration", evidence)


def returning(evidence: Evidence, lifted: float = LIFT, role: Role = Role.FORGET) -> Evidence:
    """What was forgotten comes back once batch statistics are computed anew."""
    return with_answers(evidence, RECALIBRATED, role, lifted=lifted)


def test_a_candidate_that_was_not_asked_again_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="computed anew"):
        measured(replace(examples_evidence(), recalibrated=None))


def test_answers_that_are_missing_are_not_evaluated_and_hide_no_failure() -> None:
    honest = examples_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.weights != RECALIBRATED)
    result = measured(replace(honest, measurements=replace(honest.measurements, rows=rows)))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "held-out: The recalibrated candidate was not measured" in result.reason
    margins = [100.0] * 400
    tied = with_margins(
        with_margins(honest, RECALIBRATED, Role.FORGET, margins), RECALIBRATED, Role.NEVER_SEEN, [-1.0] * 400
    )
    assert measured(tied).outcome is Outcome.FAIL


def test_a_plan_without_the_gates_of_behaviour_is_not_evaluated() -> None:
    honest = examples_evidence()
    gates = tuple(request for request in honest.plan.gates if request.name not in ("held-out", "membership"))
    with pytest.raises(NotEvaluatedError, match="no gate of forgotten behaviour"):
        measured(replace(honest, plan=replace(honest.plan, gates=gates)))


def test_nan_after_recalibration_fails() -> None:
    honest = examples_evidence()
    broken = [math.nan, *margins_of(honest.roles.of(Role.FORGET), RECALIBRATED)[1:]]
    assert measured(with_margins(honest, RECALIBRATED, Role.FORGET, broken)).outcome is Outcome.FAIL


def test_a_network_without_batch_normalisation_passes() -> None:
    result = measured(replace(examples_evidence(), recalibrated=CANDIDATE))
    assert result.outcome is Outcome.PASS
    assert "does not apply" in result.reason


@pytest.mark.parametrize("honest", [examples_evidence, group_evidence, label_evidence], ids=lambda made: made.__name__)
def test_what_stays_forgotten_passes(honest: object) -> None:
    assert callable(honest)
    assert measured(honest()).outcome is Outcome.PASS


def test_what_comes_back_fails_by_the_gate_that_sees_it() -> None:
    told = measured(returning(examples_evidence()))
    assert told.outcome is Outcome.FAIL
    assert "held-out: " in told.reason
    assert "membership: " in told.reason
    assert "reference: " in measured(returning(group_evidence())).reason
    back = measured(returning(label_evidence(), 0.0, Role.NEVER_SEEN))
    assert back.outcome is Outcome.FAIL
    assert "zero: " in back.reason


def test_the_tail_is_not_drawn_a_second_time() -> None:
    def chosen(case: PlannedCase) -> bool:
        return int(case.patient[-4:]) % 8 == 0

    minority = with_answers(examples_evidence(), RECALIBRATED, Role.FORGET, lifted=LIFT, when=chosen)
    assert "tail" not in measured(minority).reason
    moved = replace(minority, candidate=replace(minority.candidate, weights=RECALIBRATED))
    assert judged("membership", moved).outcome is not Outcome.PASS


def test_the_limits_are_those_of_the_plans_requests() -> None:
    honest = returning(examples_evidence(), 0.3)
    assert measured(honest).outcome is Outcome.NOT_EVALUATED
    wide = {"held-out": 0.4, "membership": 0.4}
    gates = tuple(
        replace(
            request,
            options=tuple(
                replace(option, value=wide[request.name]) if option.name == "margin" else option
                for option in request.options
            ),
        )
        if request.name in wide
        else request
        for request in honest.plan.gates
    )
    assert "within 0.1" not in measured(replace(honest, plan=replace(honest.plan, gates=gates))).reason


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("bn-recalibration")), examples_evidence()
    assert "After recalibration these still hold: held-out, membership." in gate.explain(measured(honest))
    assert "comes back" in gate.explain(measured(returning(honest)))
    assert "nothing is claimed" in gate.explain(measured(returning(honest, 0.3)))
