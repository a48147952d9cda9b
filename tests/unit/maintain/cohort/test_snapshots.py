"""Snapshots: what they refuse, what they leave out, and that nobody changes them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from helpers.cohorts import NOW, fill, make_case
from maintain import codec
from maintain.cohort import (
    CohortStore,
    ConsentFact,
    LabelFact,
    SplitShares,
    decide_splits,
    load_snapshot,
    load_snapshot_by_digest,
    snapshot_names,
    splits_of,
    suppress,
    take_snapshot,
)
from maintain.database import UnitOfWork, tables
from maintain.errors import DamagedError, InputError, UnknownNameError
from maintain.predicate import Compare, Operator, Predicate
from maintain.records import Case, Label, Snapshot
from maintain.vocabulary import ConsentStatus, Eye, Reason, Split

SHARES = SplitShares(train=2, validation=1, holdout=1)
MANY = tuple(make_case(number) for number in range(24))


def prepare(unit: UnitOfWork, cases: Sequence[Case] = MANY) -> None:
    fill(unit, cases)
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)


def take(
    unit: UnitOfWork, name: str = "first", *, label: str = "diagnosis", where: Predicate | None = None
) -> Snapshot:
    return take_snapshot(unit, name=name, model="m", label_name=label, where=where, now=NOW)


@pytest.mark.parametrize("name", ["", "a b", "../x", ".hidden", "x" * 65, "a\n"])
def test_a_bad_name_is_refused(unit: UnitOfWork, name: str) -> None:
    with pytest.raises(InputError, match="cannot name"):
        take(unit, name)


def test_an_unlabelled_cohort_is_refused(unit: UnitOfWork) -> None:
    prepare(unit)
    with pytest.raises(InputError, match="No case has the label 'grade'"):
        take(unit, label="grade")


def test_patients_without_a_side_are_refused(unit: UnitOfWork) -> None:
    fill(unit, MANY)
    with pytest.raises(InputError, match="24 patients have no side") as caught:
        take(unit)
    assert "maintain cohort split m" in caught.value.remedy


def test_an_empty_side_is_refused(unit: UnitOfWork) -> None:
    prepare(unit, MANY[:1])
    with pytest.raises(InputError, match="no case in"):
        take(unit)


def test_a_single_class_is_refused(unit: UnitOfWork) -> None:
    prepare(unit, [replace(case, labels=(Label("diagnosis", "drusen", 1),)) for case in MANY])
    with pytest.raises(InputError, match="same 'diagnosis'"):
        take(unit)


def test_a_taken_name_is_refused_unless_nothing_changed(unit: UnitOfWork) -> None:
    prepare(unit)
    one = take(unit)
    assert take(unit) == one
    CohortStore(unit).record_labels([LabelFact("case-0003", "diagnosis", "other")], now=NOW)
    with pytest.raises(InputError, match="already"):
        take(unit)
    assert load_snapshot(unit, "first") == one
    assert snapshot_names(unit) == ("first",)


def test_an_unknown_name_is_refused(unit: UnitOfWork) -> None:
    prepare(unit)
    take(unit)
    with pytest.raises(UnknownNameError, match="Did you mean 'first'"):
        load_snapshot(unit, "frist")
    with pytest.raises(InputError, match="no snapshot with the digest"):
        load_snapshot_by_digest(unit, "ab" * 32)


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", "x"), ("split", "holdout"), ("patient", "x"), ("pixels", "x"), ("label_version", 9), ("case_id", "x")],
)
def test_a_changed_row_is_damage(unit: UnitOfWork, column: str, value: object) -> None:
    prepare(unit)
    snapshot = take(unit)
    table = tables.snapshot_member
    victim = snapshot.of(Split.TRAIN)[0].case_id
    unit.execute(update(table).where(table.c.case_id == victim).values({column: value}))
    with pytest.raises(DamagedError):
        load_snapshot(unit, "first")


def test_members_carry_label_split_and_pixels(unit: UnitOfWork) -> None:
    prepare(unit)
    CohortStore(unit).record_labels([LabelFact("case-0003", "diagnosis", "other")], now=NOW)
    snapshot = take(unit)
    digest = unit.scalar(select(tables.snapshot.c.digest))
    assert codec.digest_of(snapshot) == digest
    assert load_snapshot(unit, "first") == load_snapshot_by_digest(unit, digest) == snapshot
    assert [member.case_id for member in snapshot.members] == [case.case_id for case in MANY]
    sides = splits_of(unit, "m")
    assert all(member.split is sides[member.patient] for member in snapshot.members)
    assert (snapshot.members[3].label, snapshot.members[3].label_version) == ("other", 2)


def test_where_narrows_and_is_remembered(unit: UnitOfWork) -> None:
    prepare(unit, [replace(case, eye=Eye.LEFT) if n >= 20 else case for n, case in enumerate(MANY)])
    snapshot = take(unit, where=Compare("image.eye", Operator.EQ, "R"))
    assert len(snapshot.members) == 20
    assert "image.eye" in unit.scalar(select(tables.snapshot.c.where))


def test_withdrawn_patients_and_their_copies_stay_out(unit: UnitOfWork) -> None:
    copy = make_case(30, pixels=MANY[0].pixels)
    prepare(unit, [*MANY, copy])
    CohortStore(unit).record_consents([ConsentFact("patient-0000", ConsentStatus.WITHDRAWN, None)])
    members = {member.case_id for member in take(unit).members}
    assert members == {case.case_id for case in MANY[1:]}


def test_suppressed_cases_stay_out_by_their_scope(unit: UnitOfWork) -> None:
    prepare(unit)
    frozen = take(unit).members
    suppress(unit, [frozen[0]], reason=Reason.DATA_SUBJECT, policy="p", model=None, now=NOW)
    suppress(unit, [frozen[1]], reason=Reason.DEVICE_DEPRECATED, policy="p", model="m", now=NOW)
    suppress(unit, [frozen[2]], reason=Reason.DEVICE_DEPRECATED, policy="p", model="other", now=NOW)
    suppress(unit, [frozen[3], frozen[4]], reason=Reason.WRONG_LABEL, policy="q", model="m", now=NOW)
    CohortStore(unit).record_labels([LabelFact("case-0004", "diagnosis", "other")], now=NOW)
    left = {member.case_id for member in take(unit, "second").members}
    assert {case.case_id for case in MANY} - left == {"case-0000", "case-0001", "case-0003"}


def test_a_picture_that_was_learned_never_enters_the_holdout(unit: UnitOfWork) -> None:
    fill(unit, MANY)
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    sides = splits_of(unit, "m")
    learner = next(case for case in MANY if sides[case.patient] is Split.TRAIN)
    tester = next(case for case in MANY if sides[case.patient] is Split.HOLDOUT)
    late = [
        make_case(40, patient=learner.patient, pixels=make_case(99).pixels),
        make_case(41, patient=tester.patient, pixels=make_case(99).pixels),
    ]
    fill(unit, late)
    assert decide_splits(unit, "m", SHARES, seed=1, now=NOW).straddling == 1
    members = {member.case_id: member.split for member in take(unit).members}
    assert members["case-0040"] is Split.TRAIN
    assert "case-0041" not in members
    assert tester.case_id in members


def test_a_snapshot_of_another_lineage_has_its_own_sides(unit: UnitOfWork) -> None:
    prepare(unit)
    row = {"model": "n", "seed": 1, "train": 1, "validation": 1, "holdout": 1, "decided": "then"}
    unit.execute(insert(tables.lineage), row)
    with pytest.raises(InputError, match="lineage of n"):
        take_snapshot(unit, name="other", model="n", label_name="diagnosis", where=None, now=NOW)
