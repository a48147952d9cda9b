from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.behaviour import examples_evidence, judged, margins_of, with_answers, with_margins
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, build, request_for
from maintain.records import GateResult
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence, **options: float) -> GateResult:
    return judged("not-collapsed", evidence, **options)


def answering(evidence: Evidence, lifted: float) -> Evidence:
    return with_answers(evidence, CANDIDATE, Role.NEVER_SEEN, lifted=lifted)


@pytest.mark.parametrize(("cases", "per_patient"), [(96, 4), (99, 3), (120, 5)])
def test_too_few_never_seen_cases_are_not_evaluated(cases: int, per_patient: int) -> None:
    evidence = examples_evidence(never_seen=cases, per_patient=per_patient)
    with pytest.raises(NotEvaluatedError, match="smallest loss that could have been seen is about 0"):
        measured(evidence)


def test_no_never_seen_case_at_all_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="the plan has none"):
        measured(examples_evidence(never_seen=0))


def test_nan_fails_the_candidate_and_leaves_the_champion_open() -> None:
    honest = examples_evidence()
    broken = [math.nan, *margins_of(honest.roles.of(Role.NEVER_SEEN), CANDIDATE)[1:]]
    assert measured(with_margins(honest, CANDIDATE, Role.NEVER_SEEN, broken)).outcome is Outcome.FAIL
    with pytest.raises(NotEvaluatedError, match="NaN"):
        measured(with_margins(honest, CHAMPION, Role.NEVER_SEEN, broken))


def test_a_collapsed_group_fails_a_kept_one_passes_and_between_is_open() -> None:
    honest = examples_evidence()
    assert measured(honest).outcome is Outcome.PASS
    assert measured(answering(honest, -3.0)).outcome is Outcome.FAIL
    open_end = measured(answering(honest, -0.5))
    assert open_end.outcome is Outcome.NOT_EVALUATED
    assert "may have fallen" in open_end.reason
    constant = with_margins(honest, CANDIDATE, Role.NEVER_SEEN, [0.0] * 400)
    assert measured(constant).outcome is Outcome.FAIL


def test_the_champion_as_candidate_fails() -> None:
    honest = examples_evidence()
    assert measured(replace(honest, weights=replace(honest.weights, candidate=CHAMPION))).outcome is Outcome.FAIL


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("not-collapsed")), examples_evidence()
    assert "It does: The loss is shown below 0.1." in gate.explain(measured(honest))
    assert "It does not:" in gate.explain(measured(answering(honest, -3.0)))
    assert "nothing is claimed" in gate.explain(measured(answering(honest, -0.5)))
