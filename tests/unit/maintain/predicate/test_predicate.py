"""The evaluator is the oracle for SQL, so its own laws are tried on drawn cases and predicates."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain import predicate
from maintain.errors import UnknownNameError
from maintain.predicate import (
    FIELDS,
    LATER_FIELDS,
    OPERATORS,
    Absent,
    AllOf,
    AnyOf,
    Compare,
    Kind,
    Not,
    Operator,
    Part,
    Predicate,
    Shape,
    absent_values,
    check,
    date_interval,
    describe,
    explain,
    field_named,
    field_values,
    is_later,
    matches,
    matches_glob,
    unmet,
)
from maintain.records import Case, Device, Label, Score
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


def asked(field: str, operator: str, value: Any) -> Compare:
    return Compare(field, Operator(operator), value)


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_joining_nothing_is_refused(kind: type[AllOf] | type[AnyOf]) -> None:
    with pytest.raises(ValueError, match="at least one term"):
        kind(())


def test_an_unknown_field_is_refused_when_evaluated() -> None:
    with pytest.raises(UnknownNameError, match=re.escape("Did you mean 'device.model'?")):
        matches(asked("device.modl", "eq", "x"), CASE)


def test_an_unchecked_comparison_of_unlike_things_fails_loudly() -> None:
    with pytest.raises(TypeError):
        matches(asked("patient.age", "lt", "64"), CASE)


def test_a_case_that_does_not_match_has_no_explanation() -> None:
    with pytest.raises(ValueError, match="no reason"):
        explain(asked("patient.sex", "eq", "M"), CASE)


def test_a_case_that_matches_has_nothing_left_to_meet() -> None:
    with pytest.raises(ValueError, match="nothing left"):
        unmet(asked("patient.sex", "eq", "F"), CASE)


def test_what_is_unmet_names_only_the_parts_that_fail() -> None:
    old, male, here = asked("patient.age", "ge", 80), asked("patient.sex", "eq", "M"), asked("site", "eq", "Elmford")
    assert unmet(AllOf((old, here, male)), CASE) == 'patient.age >= 80 and patient.sex is "M"'
    assert unmet(AllOf((here, AnyOf((old, male)))), CASE) == '(patient.age >= 80 or patient.sex is "M")'
    assert unmet(Not(here), CASE) == 'not (site is "Elmford")'
    assert unmet(AnyOf((old, male)), CASE) == 'patient.age >= 80 or patient.sex is "M"'


@pytest.mark.parametrize(
    ("compare", "part", "said"),
    [
        (asked("device.modl", "eq", "x"), Part.FIELD, "Did you mean 'device.model'?"),
        (asked("attribute.Laterality", "eq", "L"), Part.FIELD, "does not enforce it yet"),
        (asked("label.", "eq", "x"), Part.FIELD, "no field called"),
        (asked("device.model", "lt", "x"), Part.OPERATOR, "which is a text; use eq"),
        (asked("patient.age", "matches", "6*"), Part.OPERATOR, "matches does not apply"),
        (asked("study.date", "lt", "2024"), Part.OPERATOR, "before, after"),
        (asked("patient.age", "before", 3), Part.OPERATOR, "before does not apply"),
        (asked("site", "eq", ("a", "b")), Part.VALUE, "eq wants one value"),
        (asked("site", "in", "a"), Part.VALUE, "in wants a list"),
        (asked("site", "in", ()), Part.VALUE, "in wants a list"),
        (asked("site", "exists", "yes"), Part.VALUE, "true or false"),
        (asked("site", "eq", ""), Part.VALUE, "not empty"),
        (asked("patient.age", "eq", True), Part.VALUE, "wants one value"),
        (asked("patient.age", "lt", "64"), Part.VALUE, "compared with numbers"),
        (asked("patient.age", "lt", float("nan")), Part.VALUE, "compared with numbers"),
        (asked("patient.age", "between", (3,)), Part.VALUE, "two values"),
        (asked("patient.age", "between", (9, 3)), Part.VALUE, "smaller value first"),
        (asked("study.date", "between", ("2025", "2024")), Part.VALUE, "smaller value first"),
        (asked("study.date", "eq", "15.03.2024"), Part.VALUE, "is not a date"),
        (asked("study.date", "eq", "2023-02-29"), Part.VALUE, "not in the calendar"),
        (asked("study.date", "eq", "0000"), Part.VALUE, "not in the calendar"),
        (asked("patient.sex", "eq", "female"), Part.VALUE, "never 'female'"),
        (asked("consent.status", "eq", "withdrawed"), Part.VALUE, "Did you mean 'withdrawn'?"),
    ],
)
def test_a_test_that_makes_no_sense_is_named_with_its_part(compare: Compare, part: Part, said: str) -> None:
    (flaw,) = check(compare)
    assert flaw.part is part
    assert said in flaw.message


def test_every_bad_value_of_a_list_is_named() -> None:
    flaws = check(asked("study.date", "in", ("2024", "soon", "later")))
    assert [flaw.index for flaw in flaws] == [1, 2]


# --- fields ----------------------------------------------------------------------------------------


def test_every_field_reads_the_case() -> None:
    assert {name: field_values(CASE, name) for name in FIELDS if not FIELDS[name].family} == {
        "patient.sex": ("F",),
        "patient.age": (64,),
        "study.date": ("2024-03-15",),
        "device.manufacturer": ("Northlight",),
        "device.model": ("Cirrus 800 FA",),
        "device.model_raw": ("CIRRUS-800FA",),
        "device.serial": ("x1",),
        "device.station": ("x2",),
        "device.software": ("4.2.1", "RetinaView 2.0"),
        "site": ("Elmford",),
        "image.eye": ("L",),
        "consent.status": ("given",),
        "request.status": (),
    }
    assert field_values(CASE, "label.diagnosis") == ("2",)
    assert field_values(CASE, "label.quality") == ()
    assert field_values(CASE, "score.outlier") == ()
    scored = replace(CASE, scores=(Score("outlier", 3.75, "mahalanobis", 1),))
    assert field_values(scored, "score.outlier") == (3.75,)
    assert field_values(scored, "score.quality") == ()


def test_missing_is_empty_for_every_field_but_consent() -> None:
    present = [name for name in FIELDS if not FIELDS[name].family and field_values(BARE, name)]
    assert present == ["consent.status"]


def test_a_family_needs_a_member() -> None:
    assert field_named("label.NAME") is FIELDS["label.NAME"]
    assert field_named("label.a b") is None
    assert field_named("label.") is None
    assert field_named("label") is None


def test_no_field_is_both_now_and_later() -> None:
    assert not [name for name in FIELDS if is_later(name)]
    assert all(is_later(name) for name in LATER_FIELDS)
    assert is_later("attribute.Laterality")
    assert not is_later("attribut.Laterality")


@pytest.mark.parametrize("operator", list(Operator))
@pytest.mark.parametrize("name", ["site", "patient.age", "study.date"])
def test_what_check_allows_the_evaluator_evaluates(operator: Operator, name: str) -> None:
    kind = FIELDS[name].kind
    rule = OPERATORS[operator]
    sample: dict[Shape, Any] = {
        Shape.ONE: SAMPLE[kind],
        Shape.MANY: (SAMPLE[kind],),
        Shape.PAIR: (SAMPLE[kind], SAMPLE[kind]),
        Shape.FLAG: True,
    }
    compare = Compare(name, operator, sample[rule.shape])
    assert (check(compare) == ()) is (kind in rule.kinds)
    if kind in rule.kinds:
        assert matches(compare, CASE) in (True, False)
        assert not matches(compare, BARE)


# --- what each operator means ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (asked("device.model", "eq", "Cirrus 800 FA"), True),
        (asked("device.model", "eq", "cirrus 800 fa"), False),
        (asked("device.model", "ne", "Cirrus"), True),
        (asked("device.model", "in", ("A", "Cirrus 800 FA")), True),
        (asked("device.model", "not_in", ("A", "B")), True),
        (asked("device.model", "matches", "Cirrus*"), True),
        (asked("device.model", "matches", "cirrus*"), False),
        (asked("device.model", "matches", "Cirrus"), False),
        (asked("device.software", "eq", "4.2.1"), True),
        (asked("device.software", "eq", "4.2"), False),
        (asked("device.software", "ne", "4.2.1"), True),
        (asked("patient.age", "lt", 64), False),
        (asked("patient.age", "le", 64), True),
        (asked("patient.age", "gt", 63.5), True),
        (asked("patient.age", "ge", 65), False),
        (asked("patient.age", "between", (64, 70)), True),
        (asked("patient.age", "between", (50, 64)), True),
        (asked("study.date", "eq", "2024"), True),
        (asked("study.date", "eq", "2024-03"), True),
        (asked("study.date", "eq", "2024-03-15"), True),
        (asked("study.date", "eq", "2024-04"), False),
        (asked("study.date", "ne", "2024-04"), True),
        (asked("study.date", "in", ("2023", "2024-03")), True),
        (asked("study.date", "before", "2024"), False),
        (asked("study.date", "before", "2024-03"), False),
        (asked("study.date", "before", "2024-04"), True),
        (asked("study.date", "after", "2024-03"), False),
        (asked("study.date", "after", "2024-02"), True),
        (asked("study.date", "between", ("2023", "2024-03")), True),
        (asked("study.date", "between", ("2024-03-16", "2024")), False),
        (asked("image.eye", "eq", "L"), True),
        (asked("label.diagnosis", "eq", "2"), True),
        (asked("consent.status", "exists", True), True),
        (asked("label.quality", "exists", False), True),
        (asked("label.quality", "ne", "good"), False),
        (asked("label.quality", "not_in", ("good",)), False),
        (Not(asked("label.quality", "eq", "good")), True),
    ],
)
def test_operators(compare: Predicate, expected: bool) -> None:
    assert matches(compare, CASE) is expected


def test_a_date_known_only_to_the_year_is_inside_its_year_alone() -> None:
    case = replace(CASE, study_date="2024")
    assert matches(asked("study.date", "eq", "2024"), case)
    assert not matches(asked("study.date", "eq", "2024-03"), case)
    assert not matches(asked("study.date", "after", "2024-03"), case)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("2024", ("2024-01-01", "2024-12-31")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("9999-12", ("9999-12-01", "9999-12-31")),
        ("2024-02-29", ("2024-02-29", "2024-02-29")),
    ],
)
def test_a_partial_date_is_an_interval(text: str, interval: tuple[str, str]) -> None:
    assert date_interval(text) == interval


@pytest.mark.parametrize("text", ["", "24", "2024-13", "2024-3", "2024-03-15T00", "٢٠٢٤", "2024\n"])
def test_what_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        date_interval(text)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("a[b]c", "a[b]c", True),
        ("abc", "a[b]c", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("a\nc", "a*c", True),
        ("", "*", True),
        ("", "?", False),
        ("a*b", "a*b", True),
        ("a" * 3000, "*a" * 40 + "b", False),
    ],
)
def test_a_glob_knows_two_signs_and_no_more(text: str, pattern: str, expected: bool) -> None:
    assert matches_glob(text, pattern) is expected


@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=6))
def test_the_glob_agrees_with_fnmatch_where_both_know_the_signs(text: str, pattern: str) -> None:
    assert matches_glob(text, pattern) is fnmatch.fnmatchcase(text, pattern)


# --- words -----------------------------------------------------------------------------------------


def test_a_predicate_reads_as_a_sentence() -> None:
    one = AllOf(
        (
            asked("device.model", "in", ("Cirrus 800 FA", "Cirrus 900")),
            AnyOf((asked("patient.age", "lt", 18), Not(asked("site", "exists", True)))),
            asked("study.date", "between", ("2023", "2024-03")),
        )
    )
    assert describe(one) == (
        'device.model is one of "Cirrus 800 FA", "Cirrus 900" and (patient.age < 18 or not (site exists)) '
        'and study.date is between "2023" and "2024-03"'
    )


def test_a_reason_says_only_the_part_that_matched_and_nothing_else_of_the_case() -> None:
    one = AnyOf(
        (
            asked("consent.status", "eq", "withdrawn"),
            AllOf((asked("device.model", "in", ("A", "Cirrus 800 FA")), asked("patient.age", "ge", 18))),
        )
    )
    assert explain(one, CASE) == 'device.model is "Cirrus 800 FA" and patient.age >= 18'
    assert "64" not in explain(one, CASE)
    assert explain(asked("site", "matches", "Elm*"), CASE) == 'site matches "Elm*"'


def test_names_that_no_case_ever_had_are_found_with_the_nearest() -> None:
    one = AllOf(
        (
            asked("device.model", "eq", "Cirus 800 FA"),
            Not(asked("site", "in", ("Elmford", "Nowhere"))),
            asked("consent.status", "eq", "withdrawn"),
            asked("device.model", "matches", "Zeiss*"),
        )
    )
    assert absent_values(one, [CASE]) == (
        Absent("device.model", "Cirus 800 FA", "Cirrus 800 FA"),
        Absent("site", "Nowhere", None),
    )
    assert absent_values(asked("site", "eq", "Elmford"), [CASE]) == ()


def test_the_front_door_lists_what_is_there() -> None:
    assert predicate.__all__ == sorted(predicate.__all__, key=lambda name: (not name.isupper(), name.islower(), name))
    assert [name for name in predicate.__all__ if not hasattr(predicate, name)] == []
