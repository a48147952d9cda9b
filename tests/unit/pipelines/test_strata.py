"""Groups of held-out cases: what is refused, and what each case is filed under."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helpers.cohorts import DEVICE, make_case
from maintain.errors import InputError, UnknownNameError
from maintain.gates import request_for
from maintain.records import Case, PlannedCase, RoleTable, Setting, Strata
from maintain.vocabulary import Eye, Role
from maintain_pipelines.strata import declared, strata_of

SOFTWARE = replace(DEVICE, software=("b", "a"))


def roles_of(cases: list[Case], role: Role = Role.HOLDOUT) -> RoleTable:
    rows = (PlannedCase(case.case_id, 1, "drusen", case.patient, case.pixels, role, "drawn") for case in cases)
    return RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))


def strata(cases: list[Case], *by: str) -> Strata:
    return strata_of(by, roles_of(cases), cases)


def value_of(by: str, **facts: Any) -> str:
    """What a case with these facts is filed under, beside one that has a value in every field."""
    return strata([make_case(1, **facts), make_case(2)], by).rows[0].value


def test_a_field_that_no_held_out_case_has_is_refused() -> None:
    cases = [make_case(number, sex=None) for number in range(3)]
    for by in ("patient.sex", "image.eye*patient.sex", "label.quality"):
        with pytest.raises(InputError, match="no held-out case has a value there"):
            strata(cases, by)
    with pytest.raises(UnknownNameError):
        strata(cases, "patient.height")


def test_a_field_that_only_other_cases_have_is_refused_too() -> None:
    held_out, learned = [make_case(1, sex=None)], [make_case(2)]
    roles = RoleTable((*roles_of(held_out).rows, *roles_of(learned, Role.RETAIN).rows))
    with pytest.raises(InputError, match=r"patient\.sex"):
        strata_of(("patient.sex",), roles, [*held_out, *learned])


def many(values: int, *, patients: int = 50, cases: int = 200) -> list[Case]:
    return [
        make_case(value * cases + number, site=f"site-{value}", patient=f"{value}-{number % patients}")
        for value in range(values)
        for number in range(cases)
    ]


def test_more_than_four_groups_that_are_judged_are_refused() -> None:
    with pytest.raises(InputError, match="more than four gated subgroups, 5: site site-0, site site-1"):
        strata(many(5), "site")
    with pytest.raises(InputError, match=r"subgroups, 5: patient\.sex F, site site-0"):
        strata(many(4), "site", "patient.sex")


def test_groups_that_are_too_small_to_be_judged_do_not_count() -> None:
    assert len(strata(many(4), "site").rows) == 800
    assert len(strata(many(5, patients=49), "site").rows) == 1000
    assert len(strata(many(5, cases=199), "site").rows) == 995


@pytest.mark.parametrize(
    ("by", "facts", "value"),
    [
        ("patient.sex", {"sex": "M"}, "M"),
        ("patient.sex", {"sex": None}, "not recorded"),
        ("patient.sex*image.eye", {"sex": "M", "eye": Eye.LEFT}, "M x L"),
        ("patient.sex * image.eye", {"sex": None, "eye": Eye.LEFT}, "not recorded x L"),
        ("patient.age", {"age": 60}, "60-69"),
        ("patient.age", {"age": 69}, "60-69"),
        ("patient.age", {"age": 7}, "0-9"),
        ("patient.age", {"age": 90}, "90 and over"),
        ("study.date", {"study_date": "2023-04-05"}, "2023"),
        ("device.software", {"device": SOFTWARE}, "a + b"),
        ("device.model", {}, "Cirrus 800 FA"),
    ],
)
def test_each_case_is_filed_under_its_value(by: str, facts: dict[str, Any], value: str) -> None:
    assert value_of(by, **facts) == value


def test_only_held_out_cases_are_filed_in_order() -> None:
    held_out, learned = [make_case(3), make_case(1)], [make_case(2)]
    roles = RoleTable((*roles_of(held_out).rows, *roles_of(learned, Role.RETAIN).rows))
    found = strata_of(("image.eye", "patient.sex"), roles, [*held_out, *learned])
    assert [(row.by, row.value, row.case_id) for row in found.rows] == [
        ("image.eye", "R", "case-0001"),
        ("image.eye", "R", "case-0003"),
        ("patient.sex", "F", "case-0001"),
        ("patient.sex", "F", "case-0003"),
    ]


def test_an_empty_holdout_has_no_groups() -> None:
    assert strata([], "patient.sex") == Strata(())


def test_fields_are_read_from_the_gate_that_judges_by_them() -> None:
    gates = (
        request_for("integrity"),
        request_for("retention", (Setting("by", "device.model, patient.sex*image.eye"),)),
    )
    assert declared(gates) == ("device.model", "patient.sex*image.eye")
    assert declared((request_for("retention"),)) == ()
