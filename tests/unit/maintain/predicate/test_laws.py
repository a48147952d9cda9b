"""Laws that hold for every drawn predicate and case: complement, De Morgan, missing values, order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from maintain.predicate import (
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Kind,
    Not,
    Operator,
    Predicate,
    Shape,
    check,
    describe,
    explain,
    field_named,
    field_values,
    matches,
    plain,
)
from maintain.records import Case, Device, Label
from maintain.vocabulary import ConsentStatus, Eye

CASE = Case(
    case_id="c1",
    patient="p1",
    study="s1",
    series="r1",
    pixels="0" * 64,
    device=Device("Northlight", "Cirrus 800 FA", "CIRRUS-800FA", "x1", "x2", ("4.2.1", "RetinaView 2.0")),
    eye=Eye.LEFT,
    sex="F",
    age=64,
    study_date="2024-03-15",
    site="Elmford",
    consent=ConsentStatus.GIVEN,
    labels=(Label("diagnosis", "2", 1),),
)
BARE = replace(
    CASE,
    device=Device(None, None, None, None, None, ()),
    eye=None,
    sex=None,
    age=None,
    study_date=None,
    site=None,
    labels=(),
)
#: A value of each kind that an operator accepts.
SAMPLE: dict[Kind, Any] = {Kind.TEXT: "F", Kind.NUMBER: 3, Kind.DATE: "2024"}


WORDS = st.sampled_from(["a", "b", "ab"])
DAYS = st.sampled_from(["2023-12-31", "2024-01-01", "2024-03-15", "2024-12-31"])
ASKED_DAYS = DAYS | st.sampled_from(["2023", "2024", "2024-03"])
CASES = st.builds(
    lambda age, site, day, software, label, consent: replace(
        BARE,
        age=age,
        site=site,
        study_date=day,
        device=replace(BARE.device, software=software),
        labels=() if label is None else (Label("x", label, 1),),
        consent=consent,
    ),
    st.none() | st.integers(0, 4),
    st.none() | WORDS,
    st.none() | DAYS,
    st.lists(WORDS, max_size=2, unique=True).map(tuple),
    st.none() | WORDS,
    st.sampled_from(ConsentStatus),
)
ASKED: dict[str, st.SearchStrategy[Any]] = {
    "patient.age": st.integers(0, 4),
    "site": WORDS,
    "study.date": ASKED_DAYS,
    "device.software": WORDS,
    "label.x": WORDS,
}


@st.composite
def compares(draw: st.DrawFn) -> Compare:
    name = draw(st.sampled_from(sorted(ASKED)))
    field = field_named(name)
    assert field is not None
    operator = draw(st.sampled_from([one for one, rule in OPERATORS.items() if field.kind in rule.kinds]))
    match OPERATORS[operator].shape:
        case Shape.ONE:
            value = draw(ASKED[name])
        case Shape.MANY:
            value = tuple(draw(st.lists(ASKED[name], min_size=1, max_size=3)))
        case Shape.PAIR:
            value = tuple(sorted((draw(ASKED[name]), draw(ASKED[name]))))
        case Shape.FLAG:
            value = draw(st.booleans())
    return Compare(name, operator, value)


def joined(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    terms = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return terms.map(AllOf) | terms.map(AnyOf) | inner.map(Not)


PREDICATES: st.SearchStrategy[Predicate] = st.recursive(compares(), joined, max_leaves=6)


@given(compares())
def test_drawn_tests_pass_the_check(compare: Compare) -> None:
    assert check(compare) == ()


@given(PREDICATES, CASES)
def test_not_is_the_complement(one: Predicate, case: Case) -> None:
    assert matches(Not(one), case) is (not matches(one, case))


@given(PREDICATES, PREDICATES, CASES)
def test_de_morgan(one: Predicate, other: Predicate, case: Case) -> None:
    assert matches(Not(AllOf((one, other))), case) is matches(AnyOf((Not(one), Not(other))), case)
    assert matches(Not(AnyOf((one, other))), case) is matches(AllOf((Not(one), Not(other))), case)


@given(compares(), CASES)
def test_a_missing_value_matches_only_exists_false(compare: Compare, case: Case) -> None:
    if field_values(case, compare.field):
        return
    assert matches(compare, case) is (compare.operator is Operator.EXISTS and compare.value is False)


@given(compares(), CASES)
def test_a_single_value_is_equal_or_not_equal(compare: Compare, case: Case) -> None:
    values = field_values(case, compare.field)
    if len(values) != 1 or compare.operator is not Operator.EQ:
        return
    assert matches(compare, case) is not matches(replace(compare, operator=Operator.NE), case)
    assert matches(compare, case) is matches(Compare(compare.field, Operator.IN, (compare.value,)), case)  # type: ignore[arg-type]  # one value


@given(PREDICATES, CASES)
def test_order_changes_neither_meaning_nor_digest(one: Predicate, case: Case) -> None:
    if not isinstance(one, AllOf | AnyOf):
        return
    turned = replace(one, terms=one.terms[::-1])
    assert matches(one, case) is matches(turned, case)
    assert plain(one) == plain(turned)


@given(PREDICATES, CASES)
def test_every_match_has_a_reason_and_every_predicate_a_line(one: Predicate, case: Case) -> None:
    assert describe(one)
    assert "\n" not in describe(one)
    if matches(one, case):
        assert explain(one, case)
