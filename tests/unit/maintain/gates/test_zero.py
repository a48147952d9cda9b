from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.behaviour import group_evidence, judged, label_evidence, margins_of, with_answers, with_margins
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, build, request_for
from maintain.records import Figure, GateResult, PlannedCase
from maintain.vocabulary import Outcome, Role

ONLY = "output behaviour only"


def measured(evidence: Evidence, **options: float) -> GateResult:
    return judged("zero", evidence, **options)


def naming(evidence: Evidence, *, one_in: int, role: Role) -> Evidence:
    """The candidate gives the label to the cases of one in so many patients."""

    def chosen(case: PlannedCase) -> bool:
        return int(case.patient[-4:]) % one_in == 0

    margins = [50.0 if chosen(case) else -50.0 for case in evidence.roles.of(role)]
    return with_margins(evidence, CANDIDATE, role, margins)


def test_a_label_that_must_still_be_given_is_not_judged_by_zero() -> None:
    with pytest.raises(NotEvaluatedError, match="No label is withdrawn whole"):
        measured(group_evidence())


@pytest.mark.parametrize(("forget", "never_seen"), [(96, 640), (640, 96), (640, 0)])
def test_too_small_arms_are_not_evaluated(forget: int, never_seen: int) -> None:
    with pytest.raises(NotEvaluatedError, match="patients are needed of each"):
        measured(label_evidence(forget=forget, never_seen=never_seen))


def test_nan_fails_the_candidate_and_leaves_the_champion_open() -> None:
    honest = label_evidence()
    broken = [math.nan, *margins_of(honest.roles.of(Role.FORGET), CANDIDATE)[1:]]
    result = measured(with_margins(honest, CANDIDATE, Role.FORGET, broken))
    assert result.outcome is Outcome.FAIL
    assert ONLY in result.reason
    with pytest.raises(NotEvaluatedError, match="NaN"):
        measured(with_margins(honest, CHAMPION, Role.FORGET, broken))


def test_a_champion_that_does_not_give_the_label_shows_nothing_to_forget() -> None:
    silent = with_answers(label_evidence(), CHAMPION, Role.NEVER_SEEN, lifted=-50.0)
    result = measured(silent)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "nothing to forget shown: the champion may not give never-seen cases" in result.reason


def test_never_given_passes_still_given_fails_and_few_patients_leave_it_open() -> None:
    honest = label_evidence()
    assert measured(honest).outcome is Outcome.PASS
    for role in (Role.FORGET, Role.NEVER_SEEN):
        assert measured(naming(honest, one_in=4, role=role)).outcome is Outcome.FAIL
        assert measured(naming(honest, one_in=80, role=role)).outcome is Outcome.NOT_EVALUATED
    few = measured(label_evidence(forget=400, never_seen=400))
    assert few.outcome is Outcome.NOT_EVALUATED
    assert "not shown below 0.02" in few.reason


def test_the_champion_as_candidate_fails() -> None:
    honest = label_evidence()
    assert measured(replace(honest, weights=replace(honest.weights, candidate=CHAMPION))).outcome is Outcome.FAIL


def test_every_result_says_that_it_is_about_outputs_and_shows_the_probe() -> None:
    honest = replace(label_evidence(), probe=(Figure("linear probe, candidate", 0.89),))
    gate = build(request_for("zero"))
    for evidence in (honest, naming(honest, one_in=4, role=Role.FORGET), naming(honest, one_in=80, role=Role.FORGET)):
        result = measured(evidence)
        assert ONLY in result.reason
        assert ONLY in gate.explain(result)
        assert result.figures[-1].name == "linear probe, candidate"


def test_a_probe_that_finds_the_label_does_not_decide() -> None:
    told = replace(label_evidence(), probe=(Figure("linear probe, candidate", 1.0),))
    assert measured(told).outcome is Outcome.PASS


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("zero")), label_evidence()
    assert "hardly ever given any more" in gate.explain(measured(honest))
    assert "still given" in gate.explain(measured(naming(honest, one_in=4, role=Role.FORGET)))
    assert "nothing is claimed" in gate.explain(measured(naming(honest, one_in=80, role=Role.FORGET)))
