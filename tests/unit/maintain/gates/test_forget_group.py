from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.evidence import CHAMPION, honest_evidence, linked
from helpers.keeping import figure_named, gate, retention_of, with_never_seen
from maintain.errors import NotEvaluatedError
from maintain.records import Measurements
from maintain.vocabulary import Outcome, Role

FAIL, PASS = Outcome.FAIL, Outcome.PASS
APART = " on the forget group's never-seen cases"


def test_a_group_that_shall_be_judged_and_was_not_measured_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="not measured on the whole never-seen group"):
        retention_of(honest_evidence(), include_forget_group=True)


def test_a_group_of_which_no_case_is_planned_is_not_evaluated() -> None:
    honest = honest_evidence()
    rows = tuple(row for row in honest.roles.rows if row.role is not Role.NEVER_SEEN)
    evidence = linked(replace(honest, roles=replace(honest.roles, rows=rows)))
    with pytest.raises(NotEvaluatedError, match="the plan has none"):
        retention_of(evidence, include_forget_group=True)


def test_a_group_that_was_not_measured_is_not_told() -> None:
    assert not any(APART in figure.name for figure in retention_of(honest_evidence()).figures)


def test_a_group_that_was_measured_in_part_is_told_as_missing() -> None:
    evidence = with_never_seen(honest_evidence(), 40)
    rows = evidence.measurements.rows
    result = retention_of(replace(evidence, measurements=Measurements(rows[:-1])))
    assert result.outcome is PASS
    assert f"Not reported{APART}: The candidate was not measured on the whole" in result.reason


def test_a_group_is_reported_apart_and_decides_nothing() -> None:
    result = retention_of(with_never_seen(honest_evidence(), 40, right=False))
    assert result.outcome is PASS
    accuracy = figure_named(result, f"accuracy difference{APART}")
    assert (accuracy.value, accuracy.limit, accuracy.cases, accuracy.patients) == (-1.0, None, 40, 20)
    assert f"Reported without a limit{APART}: accuracy -100.0 points" in gate().explain(result)


def test_a_group_is_judged_with_the_others_where_the_policy_says_so() -> None:
    evidence = with_never_seen(honest_evidence(holdout=960), 400, right=False)
    assert retention_of(evidence).outcome is PASS
    result = retention_of(evidence, include_forget_group=True)
    assert result.outcome is FAIL
    assert result.figures[0].cases == 1360
    assert not any(APART in figure.name for figure in result.figures)


def test_answers_there_that_are_no_numbers_fail_where_they_are_judged() -> None:
    evidence = with_never_seen(honest_evidence(), 40)
    rows = tuple(
        replace(row, logits=(math.nan, 0.0)) if row.role is Role.NEVER_SEEN and row.weights != CHAMPION else row
        for row in evidence.measurements.rows
    )
    broken = replace(evidence, measurements=Measurements(rows))
    assert retention_of(broken, include_forget_group=True).outcome is FAIL
    assert f"Not reported{APART}: Some scores are NaN" in retention_of(broken).reason
