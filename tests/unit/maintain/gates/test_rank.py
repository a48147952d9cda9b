from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.behaviour import LIFT, examples_evidence, judged, margins_of, with_answers, with_margins, with_rows
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, build, request_for
from maintain.records import GateResult
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence) -> GateResult:
    return judged("rank", evidence)


def one_patient(*, never_seen: int = 400) -> Evidence:
    return examples_evidence(forget=4, never_seen=never_seen)


def remembered(evidence: Evidence, lifted: float = 3 * LIFT) -> Evidence:
    return with_answers(evidence, CANDIDATE, Role.FORGET, lifted=lifted)


def without_group(evidence: Evidence) -> Evidence:
    return with_rows(evidence, [row for row in evidence.roles.rows if row.role is not Role.NEVER_SEEN])


@pytest.mark.parametrize("forget", [8, 400])
def test_a_rank_is_that_of_one_patient(forget: int) -> None:
    with pytest.raises(NotEvaluatedError, match=f"{forget // 4} were forgotten"):
        measured(examples_evidence(forget=forget))


def test_too_few_others_are_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="18 patients among never-seen patients of the group; 19 are needed"):
        measured(one_patient(never_seen=144))


def test_all_tied_answers_have_no_rank() -> None:
    honest = with_margins(one_patient(), CANDIDATE, Role.FORGET, [0.0] * 4)
    tied = with_margins(honest, CANDIDATE, Role.NEVER_SEEN, [0.0] * 400)
    with pytest.raises(NotEvaluatedError, match="tied"):
        measured(tied)


def test_nan_and_the_champions_weights_fail() -> None:
    honest = one_patient()
    broken = with_margins(honest, CANDIDATE, Role.FORGET, [math.nan] * 4)
    assert measured(broken).outcome is Outcome.FAIL
    assert measured(replace(honest, weights=replace(honest.weights, candidate=CHAMPION))).outcome is Outcome.FAIL


@pytest.mark.parametrize("lifted", [0.0, -3.0, -30.0])
def test_it_never_passes(lifted: float) -> None:
    result = measured(remembered(one_patient(), lifted))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "no trace seen, which proves nothing" in result.reason


def test_a_patient_who_is_remembered_fails() -> None:
    result = measured(remembered(one_patient()))
    assert result.outcome is Outcome.FAIL
    assert "ranks 1 of 51 among never-seen patients of the group" in result.reason


def test_without_never_seen_patients_of_the_group_held_out_ones_are_asked_and_named() -> None:
    alone = without_group(one_patient())
    assert "among held-out patients of the same labels outside the group" in measured(alone).reason
    assert measured(remembered(alone)).outcome is Outcome.FAIL
    few = with_rows(alone, [row for row in alone.roles.rows if row.role is not Role.HOLDOUT])
    with pytest.raises(NotEvaluatedError, match="the plan has none"):
        measured(few)


def test_only_others_of_the_same_labels_are_asked() -> None:
    figures = {figure.name: figure for figure in measured(one_patient()).figures}
    assert figures["rank"].patients == 51
    assert figures["chance of so high a rank without a trace"].limit == 0.05


def test_the_level_is_kept_when_nobody_is_remembered() -> None:
    honest = one_patient()
    cases = honest.roles.of(Role.FORGET)
    chances = []
    for seed in range(60):
        margins = margins_of(cases, CANDIDATE, seed=seed)
        result = measured(with_margins(honest, CANDIDATE, Role.FORGET, margins))
        chances.append(result.outcome is Outcome.FAIL)
    assert sum(chances) <= 9


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("rank")), one_patient()
    assert "something of the patient was kept" in gate.explain(measured(remembered(honest)))
    assert "never that nothing was" in gate.explain(measured(honest))
