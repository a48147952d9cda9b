from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.behaviour import examples_evidence, with_margins
from helpers.evidence import CANDIDATE, CHAMPION, honest_evidence
from maintain.errors import NotEvaluatedError
from maintain.gates.answers import answers_of, unusable
from maintain.gates.base import Evidence
from maintain.records import Measurement, Measurements
from maintain.vocabulary import Head, Role


def with_measured(evidence: Evidence, *rows: Measurement) -> Evidence:
    return replace(evidence, measurements=Measurements(rows))


def test_a_forgotten_case_without_an_answer_is_not_evaluated_and_counted() -> None:
    honest = examples_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.case_id != "forget-0007")
    with pytest.raises(NotEvaluatedError, match="candidate was not measured on the whole forget set: 1 case of the"):
        answers_of(with_measured(honest, *rows), CANDIDATE, Role.FORGET)


def test_foreign_doubled_and_misshapen_answers_are_not_evaluated() -> None:
    honest = examples_evidence()
    rows = honest.measurements.rows
    one = honest.measurements.of(CANDIDATE, Role.NEVER_SEEN)[0]
    for more, said in (
        (replace(one, case_id="elsewhere"), "does not hold there"),
        (one, "twice"),
        (replace(one, logits=(1.0, 2.0, 3.0)), "number of classes"),
    ):
        with pytest.raises(NotEvaluatedError, match=said):
            answers_of(with_measured(honest, *rows, more), CANDIDATE, Role.NEVER_SEEN)


def test_another_label_than_the_plans_is_not_evaluated() -> None:
    honest = examples_evidence()
    rows = tuple(replace(row, label=(1 - row.label[0],)) for row in honest.measurements.rows)
    with pytest.raises(NotEvaluatedError, match="400 measurements of the forget set have another label"):
        answers_of(with_measured(honest, *rows), CANDIDATE, Role.FORGET)


def test_a_role_without_cases_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="the plan has none"):
        answers_of(examples_evidence(never_seen=0), CANDIDATE, Role.NEVER_SEEN)


def test_other_heads_are_not_evaluated() -> None:
    honest = honest_evidence()
    other = replace(honest, candidate_spec=replace(honest.candidate_spec, head=Head.ORDINAL))
    with pytest.raises(NotEvaluatedError, match="ordinal"):
        answers_of(other, CANDIDATE, Role.HOLDOUT)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_answers_that_are_no_numbers_have_no_decision_and_no_margin(broken: float) -> None:
    honest = examples_evidence()
    odd = with_margins(honest, CANDIDATE, Role.FORGET, [broken] * 400)
    answers = answers_of(odd, CANDIDATE, Role.FORGET)
    for asked in (answers.right, answers.margins, answers.decided):
        with pytest.raises(NotEvaluatedError, match="NaN"):
            asked()
    assert unusable(odd, Role.FORGET) == ["the candidate answers 400 cases with NaN or infinity"]
    assert unusable(odd, Role.FORGET, weights=CHAMPION) == []


def test_the_champions_own_weights_cannot_be_a_candidate() -> None:
    honest = examples_evidence()
    for same in (
        replace(honest, candidate=replace(honest.candidate, weights=CHAMPION)),
        replace(honest, weights=replace(honest.weights, candidate=CHAMPION)),
    ):
        assert "champion's" in unusable(same, Role.FORGET)[0]


@given(st.lists(st.floats(-700.0, 700.0), min_size=3, max_size=3))
def test_the_margin_is_the_log_odds_of_the_own_label(logits: list[float]) -> None:
    honest = honest_evidence()
    spec = replace(honest.candidate_spec, label_order=(*honest.candidate_spec.label_order, "other"))
    rows = (replace(row, logits=tuple(logits)) for row in honest.measurements.of(CANDIDATE, Role.HOLDOUT))
    evidence = with_measured(replace(honest, candidate_spec=spec), *rows)
    answers = answers_of(evidence, CANDIDATE, Role.HOLDOUT)
    own = answers.labels[0]
    others = np.delete(np.asarray(logits), own)
    expected = logits[own] - np.logaddexp(*others)
    assert answers.margins()[0] == pytest.approx(expected, abs=1e-9)


def test_answers_come_in_the_plans_order() -> None:
    honest = examples_evidence()
    shuffled = with_measured(honest, *reversed(honest.measurements.rows))
    for role in (Role.FORGET, Role.NEVER_SEEN, Role.HOLDOUT):
        first, second = (answers_of(evidence, CANDIDATE, role) for evidence in (honest, shuffled))
        assert first.cases == second.cases == honest.roles.of(role)
        assert np.array_equal(first.logits, second.logits)
