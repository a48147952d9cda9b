from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.behaviour import LIFT, examples_evidence, judged, margins_of, with_answers, with_margins, with_rows
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import InputError, NotEvaluatedError
from maintain.gates import Evidence, build, evaluate, request_for
from maintain.records import GateRequest, GateResult, PlannedCase
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence, **options: float) -> GateResult:
    return judged("held-out", evidence, **options)


def remembering(evidence: Evidence, lifted: float = LIFT) -> Evidence:
    """The candidate answers forgotten cases so much more surely."""
    return with_answers(evidence, CANDIDATE, Role.FORGET, lifted=lifted)


def values(result: GateResult) -> dict[str, float]:
    return {figure.name: figure.value for figure in result.figures}


def test_a_request_without_its_margin_is_refused() -> None:
    with pytest.raises(InputError, match="margin"):
        build(GateRequest("held-out", (), True)).measure(examples_evidence())


def test_too_small_arms_and_unmeasured_cases_are_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="96 cases of 24 patients"):
        measured(examples_evidence(forget=96))
    honest = examples_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.case_id != "never-seen-0001")
    with pytest.raises(NotEvaluatedError, match="champion was not measured on the whole never-seen group: 1 case"):
        measured(replace(honest, measurements=replace(honest.measurements, rows=rows)))
    with pytest.raises(NotEvaluatedError, match="difficult"):
        measured(replace(honest, difficulty=None))


def test_answers_that_are_no_numbers_fail_the_candidate_and_leave_the_champion_open() -> None:
    honest = examples_evidence()
    broken = [math.nan, *margins_of(honest.roles.of(Role.FORGET), CANDIDATE)[1:]]
    assert "1 case with NaN" in measured(with_margins(honest, CANDIDATE, Role.FORGET, broken)).reason
    with pytest.raises(NotEvaluatedError, match="NaN"):
        measured(with_margins(honest, CHAMPION, Role.FORGET, broken))


def test_arms_of_different_difficulty_are_told_with_their_table() -> None:
    honest = examples_evidence()
    assert honest.difficulty is not None
    rows = tuple(
        replace(row, brightness=row.brightness + 0.1) if row.case_id.startswith("forget") else row
        for row in honest.difficulty.rows
    )
    result = measured(replace(honest, difficulty=replace(honest.difficulty, rows=rows)))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "not alike in brightness" in result.reason
    assert "balance of brightness" in values(result)


def test_where_the_champion_remembers_nothing_nobody_passes() -> None:
    honest = with_answers(examples_evidence(), CHAMPION, Role.FORGET)
    result = measured(honest)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert result.reason.startswith("nothing to forget shown")
    assert measured(remembering(honest)).outcome is Outcome.FAIL


def test_an_honest_candidate_passes_and_one_that_remembers_fails() -> None:
    honest = examples_evidence()
    assert measured(honest).outcome is Outcome.PASS
    for lifted in (LIFT, 1.5, -LIFT):
        assert measured(remembering(honest, lifted)).outcome is Outcome.FAIL


def test_half_of_the_patients_remembered_does_not_pass() -> None:
    honest = examples_evidence()

    def odd(case: PlannedCase) -> bool:
        return int(case.patient[-4:]) % 2 == 1

    result = measured(with_answers(honest, CANDIDATE, Role.FORGET, lifted=LIFT, when=odd))
    assert result.outcome is not Outcome.PASS


def test_half_the_champions_gap_fails_even_inside_the_margin() -> None:
    weak = with_answers(examples_evidence(), CHAMPION, Role.FORGET, lifted=1.0)
    result = measured(remembering(weak, 2.0), margin=0.4)
    assert result.outcome is Outcome.FAIL
    assert "half of the champion's difference" in result.reason


def test_between_the_two_nothing_is_claimed() -> None:
    result = measured(remembering(examples_evidence(), 0.7))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "not shown" in result.reason


def test_the_champion_offered_as_candidate_fails_with_or_without_another_name() -> None:
    honest = examples_evidence()
    assert measured(replace(honest, weights=replace(honest.weights, candidate=CHAMPION))).outcome is Outcome.FAIL
    copied = margins_of(honest.roles.of(Role.FORGET), CHAMPION) + LIFT
    renamed = with_margins(honest, CANDIDATE, Role.FORGET, copied)
    never_seen = margins_of(honest.roles.of(Role.NEVER_SEEN), CHAMPION)
    result = measured(with_margins(renamed, CANDIDATE, Role.NEVER_SEEN, never_seen))
    assert result.outcome is Outcome.FAIL
    assert values(result)["the candidate's difference"] == pytest.approx(values(result)["the champion's difference"])


def test_the_contrast_is_linear() -> None:
    found = values(measured(examples_evidence()))
    champion, candidate = found["the champion's difference"], found["the candidate's difference"]
    assert found["the candidate's less half the champion's, to be below 0"] == pytest.approx(candidate - champion / 2)
    assert found["the candidate's plus half the champion's, to be above 0"] == pytest.approx(candidate + champion / 2)


def test_a_model_that_is_always_right_or_always_wrong_shows_no_zero_width() -> None:
    honest = examples_evidence()
    for margin in (9.0, -9.0):
        same = honest
        for role in (Role.FORGET, Role.NEVER_SEEN):
            same = with_margins(same, CANDIDATE, role, [margin] * 400)
        figure = next(one for one in measured(same).figures if one.name == "the candidate's difference")
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < 0.0 < figure.high


def test_a_patient_with_retained_images_is_counted_out() -> None:
    honest = examples_evidence()
    patient = honest.roles.of(Role.FORGET)[0].patient
    kept = replace(honest.roles.of(Role.RETAIN)[0], case_id="retain-9999", patient=patient)
    result = measured(with_rows(honest, (*honest.roles.rows, kept)))
    assert result.outcome is Outcome.PASS
    assert "Not judged: 4 forgotten cases of patients who are still learned from." in result.reason
    found = values(result)
    assert found["forgotten cases left out, as their patients are still learned from"] == 4.0
    assert found["forgotten cases"] == 396.0


def test_it_is_asked_and_does_not_decide_for_a_candidate_trained_anew() -> None:
    anew = replace(examples_evidence(), anew=True)
    found = {result.gate: result for result in evaluate(anew)}
    assert found["held-out"].outcome is Outcome.PASS
    assert not found["held-out"].decisive


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("held-out")), examples_evidence()
    passed = gate.explain(measured(honest))
    assert passed.startswith("Asked: is the revised model right on the images it should have forgotten")
    assert "90 % interval" in passed
    assert "the limit is 0.1" in passed
    assert "so they are not forgotten" in gate.explain(measured(remembering(honest)))
    assert "nothing is claimed" in gate.explain(measured(remembering(honest, 0.7)))
