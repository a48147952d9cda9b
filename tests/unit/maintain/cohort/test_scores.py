"""Scores of cases: refused names and values first, then that a name is replaced as a whole."""

from __future__ import annotations

import pytest

from helpers.cohorts import NOW, fill, make_case
from maintain.cohort import matching_ids, read_scores, replace_scores, score_states, scores_digest
from maintain.database import UnitOfWork
from maintain.errors import InputError
from maintain.predicate import Compare, Operator
from maintain.records import Score


@pytest.mark.parametrize("name", ["", "a b", ".", "-x", "ä", "a\n"])
def test_a_name_that_no_policy_could_ask_for_is_refused(unit: UnitOfWork, name: str) -> None:
    fill(unit, [make_case(1)])
    with pytest.raises(InputError, match="cannot be called"):
        replace_scores(unit, name, {"case-0001": 1.0}, method="m", version=1, now=NOW)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_refused_and_nothing_is_kept(unit: UnitOfWork, value: float) -> None:
    fill(unit, [make_case(1), make_case(2)])
    replace_scores(unit, "outlier", {"case-0001": 1.0}, method="m", version=1, now=NOW)
    with pytest.raises(InputError, match="not finite"):
        replace_scores(unit, "outlier", {"case-0001": 2.0, "case-0002": value}, method="m", version=1, now=NOW)
    assert [(state.method, state.cases) for state in score_states(unit)] == [("m", 1)]


def test_a_name_is_replaced_as_a_whole_and_others_stay(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(1), make_case(2)])
    replace_scores(unit, "outlier", {"case-0001": 1.0, "case-0002": 5.0}, method="m", version=1, now=NOW)
    replace_scores(unit, "quality", {"case-0001": -4.0}, method="q", version=1, now=NOW)
    replace_scores(unit, "outlier", {"case-0002": 0.1 + 0.2}, method="n", version=2, now=NOW)
    assert [case.scores for case in store.cases()] == [
        (Score("quality", -4.0, "q", 1),),
        (Score("outlier", 0.1 + 0.2, "n", 2),),
    ]
    assert matching_ids(unit, Compare("score.outlier", Operator.GT, 0.3)) == {"case-0002"}
    assert matching_ids(unit, Compare("score.outlier", Operator.EXISTS, False)) == {"case-0001"}


def test_a_digest_is_that_of_the_pairs_in_whatever_order_and_of_every_digit(unit: UnitOfWork) -> None:
    fill(unit, [make_case(1), make_case(2)])
    assert read_scores(unit, "outlier") == {}
    values = {"case-0002": 0.1 + 0.2, "case-0001": -1.5}
    replace_scores(unit, "outlier", values, method="m", version=1, now=NOW)
    assert scores_digest(read_scores(unit, "outlier")) == scores_digest(dict(sorted(values.items())))
    for other in ({**values, "case-0002": 0.3}, {"case-0001": -1.5}, {"case-0001": 0.1 + 0.2, "case-0002": -1.5}):
        assert scores_digest(other) != scores_digest(values)
