"""Selection: every case with the rule that selected it, no copy left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohorts import DEVICE, NOW, fill, make_case
from maintain.cohort import (
    Count,
    LabelFact,
    Standing,
    field_counts,
    matching_ids,
    near_value,
    read_standings,
    reading,
    select,
    select_stored,
    unknown_values,
)
from maintain.cohort.reading import _case
from maintain.database import UnitOfWork
from maintain.hashing import digest_bytes
from maintain.predicate import AllOf, AnyOf, Compare, Not, Operator, explain, matches
from maintain.records import Case
from maintain.vocabulary import Eye, Unit

OLD = Compare("patient.age", Operator.GE, 80)


def shot(number: int, *, age: int = 60, patient: int = 1, study: int = 1, **facts: object) -> Case:
    place = {"patient": f"p{patient}", "study": f"s{patient}.{study}", "series": f"r{patient}.{study}.{number % 2}"}
    return make_case(number, age=age, **{**place, **facts})


def reasons(cases: tuple[Case, ...], unit: Unit) -> dict[str, str]:
    return {chosen.case.case_id[-1]: chosen.reason for chosen in select(cases, OLD, unit)}


def test_no_match_selects_nothing() -> None:
    cases = (make_case(1), make_case(2, pixels=make_case(1).pixels))
    for unit in Unit:
        assert select(cases, OLD, unit) == ()


@pytest.mark.parametrize(
    ("unit", "pulled"),
    [
        (Unit.IMAGE, ""),
        (Unit.EYE, "3"),
        (Unit.SERIES, "3"),
        (Unit.STUDY, "23"),
        (Unit.PATIENT, "234"),
    ],
)
def test_a_match_pulls_in_its_unit_and_says_so(unit: Unit, pulled: str) -> None:
    cases = (
        shot(1, age=81),
        shot(2, eye=Eye.LEFT),
        shot(3),
        shot(4, study=2, eye=Eye.LEFT),
        shot(5, patient=2),
    )
    said = reasons(cases, unit)
    assert said.pop("1") == explain(OLD, cases[0])
    assert said == dict.fromkeys(pulled, f"same {unit.value} as a match")


@pytest.mark.parametrize(
    ("matched", "pulled"),
    [(Eye.RIGHT, "RB"), (Eye.LEFT, "LB"), (Eye.BOTH, "RLB"), (None, "")],
)
def test_an_eye_pulls_in_every_picture_that_shows_it(matched: Eye | None, pulled: str) -> None:
    """A picture of both eyes shows each; one of an eye that nobody recorded pulls in, and is pulled in by, none."""
    others = {"R": Eye.RIGHT, "L": Eye.LEFT, "B": Eye.BOTH, "N": None}
    mine = (shot(1, age=81, eye=matched), *(shot(n, eye=eye) for n, eye in enumerate(others.values(), 2)))
    strangers = tuple(shot(n, eye=eye, patient=2) for n, eye in enumerate(others.values(), 10))
    chosen = {selected.case.case_id for selected in select((*mine, *strangers), OLD, Unit.EYE)}
    names = {case.case_id: name for case, name in zip(mine[1:], others, strict=True)}
    assert {names[case_id] for case_id in chosen - {"case-0001"}} == set(pulled)


def test_copies_are_selected_across_patients_as_images_only() -> None:
    one, two = digest_bytes(b"one"), digest_bytes(b"two")
    cases = (
        shot(1, age=81),
        shot(2, pixels=one),
        shot(3, patient=2, pixels=one),
        shot(4, patient=2, pixels=two),
        shot(5, patient=3, pixels=two),
    )
    said = reasons(cases, Unit.PATIENT)
    assert said["2"] == "same patient as a match"
    assert said["3"] == "exact copy of a selected image"
    assert set(said) == {"1", "2", "3"}


drawn = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([60, 85]), st.integers(0, 6)), max_size=14
)


def test_copies_of_copies_are_one_round_away() -> None:
    """Equal pixels are one group: a copy of a copy has the pixels of the first, wherever it was filed."""
    one = digest_bytes(b"one")
    cases = (shot(1, age=81, pixels=one), *(shot(n, patient=n, pixels=one) for n in range(2, 6)))
    assert set(reasons(cases, Unit.STUDY)) == set("12345")


@given(rows=drawn, unit=st.sampled_from([Unit.IMAGE, Unit.SERIES, Unit.STUDY, Unit.PATIENT]))
def test_select_is_the_closure_one_would_write_down(rows: list[tuple[int, int, int, int]], unit: Unit) -> None:
    cases = tuple(
        shot(n, age=age, patient=patient, study=study, pixels=digest_bytes(bytes([pixels])))
        for n, (patient, study, age, pixels) in enumerate(rows)
    )
    field = {Unit.IMAGE: "case_id", Unit.SERIES: "series", Unit.STUDY: "study", Unit.PATIENT: "patient"}[unit]
    matched = [case for case in cases if matches(OLD, case)]
    pulled = [c for c in cases if any(getattr(c, field) == getattr(m, field) for m in matched)]
    copied = [c for c in cases if any(c.pixels == p.pixels for p in pulled)]
    assert {s.case.case_id for s in select(cases, OLD, unit)} == {c.case_id for c in (*pulled, *copied)}
    for chosen in select(cases, OLD, unit):
        expected = "exact copy" if chosen.case not in pulled else "same"
        assert chosen.reason.startswith(expected) or chosen.case in matched


def test_values_that_no_case_had_are_named_with_the_nearest() -> None:
    cases = (make_case(1), make_case(2))
    predicate = AllOf(
        (
            Compare("device.model", Operator.EQ, "Cirus 800 FA"),
            Not(Compare("site", Operator.IN, ("e1f0d0", "zzzzzz"))),
            AnyOf((OLD, Compare("device.model", Operator.EQ, "Cirrus 800 FA"))),
        )
    )
    found = [(absent.field, absent.value, absent.nearest) for absent in unknown_values(cases, predicate)]
    assert found == [("device.model", "Cirus 800 FA", "Cirrus 800 FA"), ("site", "zzzzzz", None)]
    assert near_value(cases, "device.model", "cirus 800") == "Cirrus 800 FA"
    assert near_value((), "device.model", "cirus 800") is None


def test_field_counts_show_what_there_is() -> None:
    cases = (make_case(1), make_case(2), make_case(3, sex=None), make_case(4, sex="M"))
    assert field_counts(cases, "patient.sex") == (Count("F", 2), Count("M", 1))


def test_of_a_large_cohort_only_what_is_selected_is_read_whole(
    unit: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [shot(number, patient=number // 3, study=number) for number in range(300)]
    cases += [shot(400, age=85, patient=7, study=400), make_case(401, pixels=cases[22].pixels)]
    fill(unit, cases)
    whole: list[str] = []

    def counted(row: Any, *more: Any) -> Case:
        whole.append(row.case_id)
        return _case(row, *more)

    monkeypatch.setattr(reading, "_case", counted)
    chosen = select_stored(unit, OLD, Unit.PATIENT)
    assert [found.case.case_id for found in chosen] == [f"case-{n:04}" for n in (21, 22, 23, 400, 401)]
    assert sorted(whole) == [found.case.case_id for found in chosen]
    assert matching_ids(unit, OLD) == {"case-0400"}
    assert len(read_standings(unit, "diagnosis")) == 302
    assert len(whole) == 5


def test_a_standing_is_the_case_in_short(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(1), make_case(2, device=replace(DEVICE, model=None))], labels=None)
    store.record_labels([LabelFact("case-0001", "diagnosis", "drusen"), LabelFact("case-0002", "other", "x")], now=NOW)
    store.record_labels([LabelFact("case-0001", "diagnosis", "atrophy")], now=NOW)
    first, second = read_standings(unit, "diagnosis")
    (case, _) = store.cases()
    assert first == Standing(
        case.case_id, case.patient, case.study, case.device.model, case.pixels, case.consent, "atrophy", 2
    )
    assert (second.device, second.label, second.label_version) == (None, None, 0)
