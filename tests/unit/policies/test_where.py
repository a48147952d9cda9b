"""A `where` becomes a predicate, or every mistake in it is named at its column."""

from __future__ import annotations

import pytest

from maintain.errors import PolicyError
from maintain.predicate import AllOf, AnyOf, Compare, Not, Operator, Predicate
from maintain_policies import parse_where


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("{}", 1, "match every case"),
        ("[{site: a}]", 1, "mapping of fields"),
        ("Elmford", 1, "mapping of fields"),
        ("{device.modl: x}", 2, "Did you mean 'device.model'?"),
        ("{attribute.Laterality: L}", 2, "does not enforce it yet"),
        ("{all: {site: a}}", 7, "list of tests"),
        ("{any: []}", 7, "list of tests"),
        ("{not: x}", 7, "mapping of fields"),
        ("{site: }", 7, "exists: false"),
        ("{site: ~}", 8, "exists: false"),
        ("{site: {}}", 8, "not tested"),
        ("{site: {is: a}}", 9, "no operator called 'is'"),
        ("{site: {lt: a}}", 9, "lt does not apply to site"),
        ("{site: {in: a}}", 13, "in wants a list"),
        ("{site: {eq: [a]}}", 13, "must be text, found a list"),
        ("{site: {exists: yes}}", 17, "true or false, found the text 'yes'"),
        ("{site: []}", 8, "in wants a list"),
        ("{patient.age: [3, old]}", 19, "must be a number, found the text 'old'"),
        ("{patient.age: '3'}", 15, "must be a number, found the text '3'"),
        ("{patient.age: {between: [9, 3]}}", 25, "smaller value first"),
        ("{patient.age: {lt: .inf}}", 20, "must be a number"),
        ("{patient.age: {lt: 1e999}}", 20, "must be a number"),
        ("{patient.age: {lt: 99999999999999999999}}", 20, "more than 18 digits"),
        ("{study.date: {in: [2024, 2024-02-30]}}", 26, "not in the calendar"),
        ("{patient.sex: f}", 15, "Did you mean 'F'?"),
        ("device.modl=x", 1, "Did you mean 'device.model'?"),
        ("  patient.age=old", 15, "must be a number"),
        ("site=", 6, "exists: false"),
    ],
)
def test_a_mistake_has_its_column(text: str, column: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_where(text, source="--where")
    (problem,) = caught.value.problems
    assert said in problem.message
    assert (problem.line, problem.column) == (1, column)


def test_all_mistakes_are_found_at_any_depth() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_where("{any: [{sit: a}, {not: {patient.age: {lt: x, before: 3}}}], image.eye: Z}", source="-")
    assert [problem.column for problem in caught.value.problems] == [9, 43, 46, 72]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{device.model: Cirrus 800 FA}", Compare("device.model", Operator.EQ, "Cirrus 800 FA")),
        ("device.model=Cirrus 800 FA", Compare("device.model", Operator.EQ, "Cirrus 800 FA")),
        ("  site = a=b  ", Compare("site", Operator.EQ, "a=b")),
        ("device.model: a=b", Compare("device.model", Operator.EQ, "a=b")),
        ("device.serial=0012", Compare("device.serial", Operator.EQ, "0012")),
        ("{device.serial: 0012}", Compare("device.serial", Operator.EQ, "0012")),
        ("{site: NO}", Compare("site", Operator.EQ, "NO")),
        ("{label.referable: true}", Compare("label.referable", Operator.EQ, "true")),
        ("{site: [a, b]}", Compare("site", Operator.IN, ("a", "b"))),
        ("{patient.age: 64}", Compare("patient.age", Operator.EQ, 64)),
        ("patient.age=64.5", Compare("patient.age", Operator.EQ, 64.5)),
        ("{study.date: 2024-03}", Compare("study.date", Operator.EQ, "2024-03")),
        ("{site: {exists: false}}", Compare("site", Operator.EXISTS, False)),
        ("{not: {site: a}}", Not(Compare("site", Operator.EQ, "a"))),
        (
            "{site: a, patient.age: {ge: 18, lt: 65}}",
            AllOf(
                (
                    Compare("site", Operator.EQ, "a"),
                    AllOf((Compare("patient.age", Operator.GE, 18), Compare("patient.age", Operator.LT, 65))),
                )
            ),
        ),
        (
            "{any: [{site: a}, {patient.sex: F}]}",
            AnyOf((Compare("site", Operator.EQ, "a"), Compare("patient.sex", Operator.EQ, "F"))),
        ),
    ],
)
def test_a_where_becomes_a_predicate(text: str, expected: Predicate) -> None:
    assert parse_where(text, source="--where") == expected
