"""What the rows hold of a person is found under every key, goes together, and is looked for in every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from helpers.cohorts import NOW, fill, make_case
from maintain.cohort import (
    CohortStore,
    Marks,
    SplitShares,
    barred_cases,
    decide_splits,
    erase_rows,
    left_in_rows,
    load_snapshot,
    load_snapshot_by_digest,
    marks_of,
    named_digest,
    suppress,
    take_snapshot,
)
from maintain.database import UnitOfWork, tables
from maintain.errors import DamagedError, InputError, UnknownNameError
from maintain.hashing import digest_bytes
from maintain.records import Case, Snapshot
from maintain.vocabulary import Reason, listed_as

SHARES = SplitShares(train=2, validation=1, holdout=1)
MANY = tuple(make_case(number) for number in range(24))

#: Shows the very picture of case 0003 under another name.
TWIN = make_case(30, pixels=MANY[3].pixels)


def prepare(unit: UnitOfWork, cases: Sequence[Case] = (*MANY, TWIN)) -> Snapshot:
    fill(unit, cases)
    unit.execute(update(tables.file).values(path=tables.file.c.id))
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    return take_snapshot(unit, name="first", model="m", label_name="diagnosis", where=None, now=NOW)


def marks_of_three(unit: UnitOfWork) -> Marks:
    return marks_of(unit, patients=["patient-0003"], cases=(), pixels=())


def test_a_snapshot_that_lost_rows_otherwise_is_damaged_still(unit: UnitOfWork) -> None:
    prepare(unit)
    erase_rows(unit, marks_of_three(unit), Reason.CONSENT)
    assert "case-0003" not in {member.case_id for member in load_snapshot(unit, "first").members}
    member = tables.snapshot_member
    unit.execute(update(member).where(member.c.case_id == "case-0005").values(label="another"))
    with pytest.raises(DamagedError, match="no longer the one that was taken"):
        load_snapshot(unit, "first")


def test_nobody_is_found_under_no_mark(unit: UnitOfWork) -> None:
    prepare(unit)
    nobody = marks_of(unit, patients=(), cases=(), pixels=())
    assert nobody == Marks()
    assert set(erase_rows(unit, nobody, Reason.CONSENT).counts.values()) == {0}
    assert left_in_rows(unit, nobody, besides={}) == ()


def test_a_person_is_every_visit_image_and_picture_and_whoever_shows_the_same(unit: UnitOfWork) -> None:
    prepare(unit)
    found = marks_of_three(unit)
    assert found.patients == {"patient-0003"}
    assert found.cases == {"case-0003", "case-0030"}
    assert found.pixels == {MANY[3].pixels}
    assert found.studies == {"study-0003", "study-0030"}
    assert found.series == {"series-0003", "series-0030"}


def test_the_picture_that_a_snapshot_froze_is_theirs_too(unit: UnitOfWork) -> None:
    prepare(unit)
    handed_in = digest_bytes(b"an array of an adopted model")
    member = tables.snapshot_member
    unit.execute(update(member).where(member.c.case_id == "case-0003").values(pixels=handed_in))
    assert handed_in in marks_of_three(unit).pixels


def test_a_visit_that_somebody_else_shares_is_not_theirs(unit: UnitOfWork) -> None:
    shared = replace(make_case(40), patient=TWIN.patient, study=TWIN.study, series=TWIN.series)
    prepare(unit, (*MANY, TWIN, shared))
    found = marks_of_three(unit)
    assert found.studies == {"study-0003"}
    assert found.series == {"series-0003"}


def test_rows_go_together_and_others_stay(unit: UnitOfWork) -> None:
    prepare(unit)
    marks = marks_of_three(unit)
    left = left_in_rows(unit, marks, besides={})
    for place in ("pixels of the table image_case", "patient of the table patient", "case_id of the table file"):
        assert any(place in item for item in left)
    erased = erase_rows(unit, marks, Reason.DATA_SUBJECT)
    assert left_in_rows(unit, marks, besides={}) == ()
    assert erased.counts["image_case"] == 2
    assert erased.counts["patient"] == 1
    assert len(CohortStore(unit).cases()) == 23
    assert len(CohortStore(unit).patients(["patient-0030"])) == 1


def test_the_accession_number_goes_with_its_visit(unit: UnitOfWork) -> None:
    prepare(unit)
    study = tables.study
    unit.execute(update(study).values(accession="number of " + study.c.study))
    erase_rows(unit, marks_of_three(unit), Reason.DATA_SUBJECT)
    left = {row.accession for row in unit.rows(select(study.c.accession))}
    assert left == {f"number of {case.study}" for case in MANY if case.patient != "patient-0003"}


def test_the_list_of_what_nobody_may_use_is_no_remainder_and_any_other_text_is(unit: UnitOfWork) -> None:
    prepare(unit)
    marks = marks_of_three(unit)
    cases = CohortStore(unit).named(marks.cases)
    suppress(unit, cases, reason=Reason.CONSENT, policy=listed_as("R-1"), model=None, now=NOW)
    erase_rows(unit, marks, Reason.CONSENT)
    assert left_in_rows(unit, marks, besides={}) == ()
    values = {"source_id": 1, "started": "now", "counts": {"odd": "about study-0003"}, "code": "0"}
    unit.execute(insert(tables.ingest), values)
    assert left_in_rows(unit, marks, besides={}) == ("the column counts of the table ingest",)


def test_rows_of_a_request_that_is_not_ended_may_be_left_out(unit: UnitOfWork) -> None:
    prepare(unit)
    marks = marks_of_three(unit)
    erase_rows(unit, marks, Reason.CONSENT)
    for name in ("R-1", "R-2"):
        values = {
            "reason": "consent",
            "basis": "other",
            "received": "",
            "due": "",
            "filed": "",
            "actor": "",
            "found": "",
        }
        unit.execute(insert(tables.request), {"request": name, "state": "open", "images": 1, "copies": 0, **values})
        unit.execute(insert(tables.request_case), {"request": name, "case_id": "case-0003", "copy": False})
    place = "the column case_id of the table request_case"
    assert left_in_rows(unit, marks, besides={"request_case": frozenset({"R-1"})}) == (place,)
    assert left_in_rows(unit, marks, besides={"request_case": frozenset({"R-1", "R-2"})}) == ()


def test_a_snapshot_is_found_by_its_own_digest_however_often_it_was_cut(unit: UnitOfWork) -> None:
    taken = named_digest(unit, prepare(unit).name)
    rests = [taken]
    for patient in ("patient-0003", "patient-0004"):
        marks = marks_of(unit, patients=[patient], cases=(), pixels=())
        (remains,) = erase_rows(unit, marks, Reason.CONSENT).snapshots
        assert (remains.digest, remains.before) == (taken, rests[-1])
        rests.append(remains.rest)
    assert len(set(rests)) == 3
    assert load_snapshot_by_digest(unit, taken).name == "first"
    assert named_digest(unit, "first") == taken
    erased = unit.scalar(select(tables.snapshot.c.erased))
    assert erased == 3


def test_the_same_snapshot_may_be_taken_again_of_the_rest(unit: UnitOfWork) -> None:
    prepare(unit)
    erase_rows(unit, marks_of_three(unit), Reason.CONSENT)
    again = take_snapshot(unit, name="first", model="m", label_name="diagnosis", where=None, now=NOW)
    assert again == load_snapshot(unit, "first")
    fill(unit, [make_case(50)])
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    with pytest.raises(InputError, match="with other cases"):
        take_snapshot(unit, name="first", model="m", label_name="diagnosis", where=None, now=NOW)
    with pytest.raises(UnknownNameError):
        named_digest(unit, "second")


def test_marks_are_found_as_text_and_as_bytes() -> None:
    digest = digest_bytes(b"a picture")
    marks = Marks(cases=frozenset({"ab" * 16}), pixels=frozenset({digest}), patients=frozenset({"abcd"}))
    assert marks.within(b"...") == frozenset()
    assert marks.within(f'{{"pixels":"{digest}"}}'.encode()) == {"pixels"}
    assert marks.within(b"\0" + bytes.fromhex(digest)) == {"pixels"}
    assert marks.within(b"\xab" * 16) == {"cases"}
    assert marks.within(b"\xab\xcd") == frozenset(), "so few bytes occur by chance"


def test_a_mark_names_the_images_that_its_requests_barred(unit: UnitOfWork) -> None:
    prepare(unit)
    values = {"reason": "consent", "basis": "other", "received": "", "due": "", "filed": "", "actor": "", "found": ""}
    unit.execute(insert(tables.request), {"request": "R-1", "state": "open", "images": 1, "copies": 0, **values})
    unit.execute(insert(tables.barred_person), {"request": "R-1", "mark": "m1", "reason": "consent"})
    cases = CohortStore(unit).named(["case-0003"])
    suppress(unit, cases, reason=Reason.CONSENT, policy=listed_as("R-1"), model=None, now=NOW)
    assert barred_cases(unit, "m1") == {"case-0003"}
    assert barred_cases(unit, "m2") == frozenset()
