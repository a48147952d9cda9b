"""Groups of few patients are never shown alone, nor can they be computed from what is shown."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.behaviour import examples_evidence
from maintain.errors import NotEvaluatedError
from maintain.vocabulary import Role
from maintain_pipelines.reporting.evidence import FEWEST_PATIENTS
from maintain_pipelines.reporting.groups import groups_of, labels_of, put_small_together


def test_where_all_are_few_nothing_is_shown() -> None:
    patients = [str(number) for number in range(9)]
    with pytest.raises(NotEvaluatedError, match="Fewer than 10 patients"):
        put_small_together({"a": range(4), "b": range(4, 9)}, patients)


def test_one_small_group_is_joined_by_the_next_smallest() -> None:
    patients = [str(number) for number in range(45)]
    shown, pooled = put_small_together({"a": range(3), "b": range(3, 15), "c": range(15, 45)}, patients)
    assert pooled == 2
    assert shown == {"c": tuple(range(15, 45)), "2 small groups together": tuple(range(15))}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40)), min_size=1, max_size=120))
def test_every_case_is_in_one_group_of_ten_patients_or_more(cases: list[tuple[str, int]]) -> None:
    patients = [str(patient) for _, patient in cases]
    places = defaultdict(list)
    for number, (value, _) in enumerate(cases):
        places[value].append(number)
    try:
        shown, _ = put_small_together(places, patients)
    except NotEvaluatedError:
        assert len(set(patients)) < FEWEST_PATIENTS
        return
    assert sorted(number for members in shown.values() for number in members) == list(range(len(cases)))
    assert all(len({patients[number] for number in members}) >= FEWEST_PATIENTS for members in shown.values())


def test_accuracy_is_that_of_the_answers() -> None:
    evidence = examples_evidence()
    cases = evidence.roles.of(Role.HOLDOUT)
    groups = groups_of(evidence, labels_of(cases))
    assert [row.value for row in groups.rows] == sorted({case.label for case in cases})
    assert sum(row.cases for row in groups.rows) == len(cases)
    logits = {row.case_id: row.logits for row in evidence.measurements.of(evidence.candidate.weights, Role.HOLDOUT)}
    order = evidence.candidate_spec.label_order
    for row in groups.rows:
        mine = [case for case in cases if case.label == row.value]
        right = [max(zip(logits[case.case_id], order, strict=True))[1] == case.label for case in mine]
        assert row.candidate.value == pytest.approx(sum(right) / len(mine))
        assert row.candidate.low <= row.candidate.value <= row.candidate.high
