"""The cohort's rows: contradictions are refused and counted, nothing known is overwritten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select

from helpers.cohorts import DEVICE, KEY_ID, NOW, arrive, fill, make_case
from maintain.cohort import (
    Arrival,
    CohortStore,
    ConsentFact,
    Count,
    LabelFact,
    NumberedImage,
    commitment,
    suppress,
)
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.hashing import digest_bytes
from maintain.records import Label
from maintain.vocabulary import ConsentStatus, Eye, FileStatus, Reason


@pytest.fixture
def store(unit: UnitOfWork) -> CohortStore:
    return CohortStore(unit)


@pytest.fixture
def source(store: CohortStore) -> int:
    return store.source("dicom", "folder", key_id=KEY_ID)


def test_another_key_is_refused(store: CohortStore, source: int) -> None:
    with pytest.raises(InputError, match="another pseudonym key"):
        store.source("labels", "table", key_id="ffffffff")
    assert store.source("dicom", "folder", key_id=KEY_ID) == source
    assert store.source("labels", "folder", key_id=KEY_ID) != source


@pytest.mark.parametrize(
    "facts",
    [
        {"patient": "patient-0002"},
        {"study": "study-0002"},
        {"series": "series-0002"},
        {"study_date": "2024-03-02"},
        {"site": "another"},
        {"device": replace(DEVICE, software=("5.0",))},
    ],
)
def test_another_place_in_the_hierarchy_is_refused(store: CohortStore, source: int, facts: dict[str, Any]) -> None:
    case = make_case()
    store.add(source, [arrive(case)])
    (outcome,) = store.add(source, [arrive(replace(case, **facts), "again.dcm")])
    assert (outcome.status, outcome.reason) == (FileStatus.REJECTED, "inconsistent")
    assert store.cases() == (case,)


def test_a_series_of_two_devices_is_refused(store: CohortStore, source: int) -> None:
    one = make_case(1)
    two = replace(one, case_id="case-0002", device=replace(DEVICE, model="Retivue"))
    outcomes = store.add(source, [arrive(one), arrive(two)])
    assert [outcome.reason for outcome in outcomes] == [None, "inconsistent"]


def test_the_same_instance_with_other_pixels_is_a_conflict(store: CohortStore, source: int) -> None:
    case = make_case()
    other = replace(case, pixels=digest_bytes(b"other"))
    assert [o.reason for o in store.add(source, [arrive(case), arrive(other, "b")])] == [None, "conflict"]
    (outcome,) = store.add(source, [arrive(other, "c")])
    assert (outcome.status, outcome.reason, outcome.case_id) == (FileStatus.REJECTED, "conflict", None)
    assert store.case(case.case_id).pixels == case.pixels
    assert store.status().rejected == (Count("conflict", 2),)


def test_the_same_instance_again_is_a_duplicate(store: CohortStore, source: int) -> None:
    case = make_case()
    other = store.source("dicom", "elsewhere", key_id=KEY_ID)
    first = store.add(source, [arrive(case), arrive(case, "copy")])
    again = store.add(other, [arrive(case)])
    assert [o.status for o in (*first, *again)] == [
        FileStatus.ACCEPTED,
        FileStatus.DUPLICATE,
        FileStatus.DUPLICATE,
    ]
    assert store.cases() == (case,)
    assert store.status().files == (Count("accepted", 1), Count("duplicate", 2))


def test_the_same_file_read_again_stays_the_one_that_was_accepted(store: CohortStore, source: int) -> None:
    case = make_case()
    store.add(source, [arrive(case)])
    salt = store.salts([case.patient])
    (outcome,) = store.add(source, [replace(arrive(case), mtime_ns=2)])
    assert outcome.status is FileStatus.ACCEPTED
    assert store.known_files(source)["case-0001.dcm"].mtime_ns == 2
    assert store.salts([case.patient]) == salt


def test_what_was_missing_is_filled_and_what_is_known_stays(store: CohortStore, source: int) -> None:
    bare = make_case(sex=None, age=None, eye=None, study_date=None, site=None)
    full = make_case()
    store.add(source, [arrive(bare)])
    store.add(source, [arrive(full)])
    store.add(source, [arrive(bare)])
    assert store.cases() == (full,)


def test_rejections_keep_only_their_reason(store: CohortStore, source: int) -> None:
    store.add(source, [Arrival("a/b", 7, 8, None, reason="truncated")])
    assert store.status().rejected == (Count("truncated", 1),)
    assert store.known_files(source)["a/b"].pixels is None
    assert store.cases() == ()


@pytest.mark.parametrize("reason", [Reason.CONSENT, Reason.DATA_SUBJECT])
def test_a_suppressed_person_is_recognised_at_the_door(unit: UnitOfWork, source: int, reason: Reason) -> None:
    store = CohortStore(unit)
    gone, copy = make_case(1), make_case(2, pixels=make_case(1).pixels)
    listed = type("Listed", (), {"case_id": gone.case_id, "label_version": 1, "pixels": gone.pixels})()
    suppress(unit, [listed], reason=reason, policy="p", model="m", now=NOW)
    outcomes = store.add(source, [arrive(gone), arrive(copy), arrive(make_case(3))])
    assert [outcome.reason for outcome in outcomes] == [f"suppressed-{reason}"] * 2 + [None]
    assert [case.case_id for case in store.cases()] == ["case-0003"]
    assert set(store.known_files(source)) == {"case-0003.dcm"}  # the others are read again


def test_new_images_of_a_withdrawn_patient_stay_outside(store: CohortStore, source: int) -> None:
    known, new = make_case(1), make_case(2, patient="patient-0001")
    store.add(source, [arrive(known)])
    store.record_consents([ConsentFact("patient-0001", ConsentStatus.WITHDRAWN, "2025-01-01")])
    outcomes = store.add(source, [arrive(known, "again"), arrive(new)])
    assert [(outcome.reason, outcome.case_id) for outcome in outcomes] == [("suppressed-consent", None)] * 2
    store.record_consents([ConsentFact("patient-0001", ConsentStatus.GIVEN, "2025-02-01")])
    assert store.add(source, [arrive(new)])[0].status is FileStatus.ACCEPTED


def test_a_long_list_is_judged_in_parts(store: CohortStore, source: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maintain.cohort.store.JUDGED_TOGETHER", 2)
    arrivals = [arrive(make_case(number % 3), str(number)) for number in range(7)]
    outcomes = store.add(source, arrivals)
    assert [outcome.path for outcome in outcomes] == [arrival.path for arrival in arrivals]
    assert [outcome.status.value for outcome in outcomes] == ["accepted"] * 3 + ["duplicate"] * 4


def test_a_withdrawn_picture_is_known_under_every_pseudonym(store: CohortStore, source: int) -> None:
    store.add(source, [arrive(make_case(1)), arrive(make_case(4))])
    store.record_consents([ConsentFact("patient-0001", ConsentStatus.WITHDRAWN, None)])
    stranger, other = make_case(2, pixels=make_case(1).pixels), make_case(3)
    outcomes = store.add(source, [arrive(stranger), arrive(other)])
    assert [outcome.reason for outcome in outcomes] == ["suppressed-consent", None]
    assert store.patients([stranger.patient]) == ()


def test_an_unknown_case_is_refused(store: CohortStore) -> None:
    with pytest.raises(InputError, match="no such case"):
        store.case("nobody")


def test_cases_come_back_whole_and_in_order(unit: UnitOfWork) -> None:
    cases = tuple(make_case(number, labels=(Label("diagnosis", "drusen", 1),)) for number in (3, 1, 2))
    bare = make_case(9, eye=None, sex=None, age=None, study_date=None, site=None)
    bare = replace(bare, device=replace(DEVICE, model=None, model_raw="", serial=None, software=()))
    store = fill(unit, (*cases, bare), labels=None)
    assert store.cases() == (cases[1], cases[2], cases[0], bare)
    assert store.case("case-0002") == cases[2]


def test_images_are_found_by_eye_only_where_day_and_eye_are_known(unit: UnitOfWork) -> None:
    same = {"patient": "patient-0001", "study": "study-0001"}
    cases = [make_case(1), make_case(2, **same), make_case(3, **same, eye=Eye.LEFT)]
    cases += [make_case(4, eye=None), make_case(5, study_date=None)]
    store = fill(unit, cases)
    assert store.cases_by_eye() == {
        ("patient-0001", "2024-03-01", Eye.RIGHT): ("case-0001", "case-0002"),
        ("patient-0001", "2024-03-01", Eye.LEFT): ("case-0003",),
    }
    assert store.case_ids() == {case.case_id for case in cases}


def test_images_are_found_by_accession_number_with_their_studies(store: CohortStore, source: int) -> None:
    one, two = make_case(1), make_case(2, patient="patient-0001", study="study-0001", series="series-0001", eye=None)
    other, bare = make_case(3, eye=Eye.LEFT), make_case(4)
    arrivals = [replace(arrive(case), accession="number") for case in (one, other)]
    store.add(source, [*arrivals, arrive(two), arrive(bare)])
    assert store.images_by_accession() == {
        "number": (
            NumberedImage("case-0001", "study-0001", Eye.RIGHT),
            NumberedImage("case-0002", "study-0001", None),
            NumberedImage("case-0003", "study-0003", Eye.LEFT),
        )
    }


def test_the_first_accession_number_of_a_study_stays(store: CohortStore, source: int) -> None:
    case = make_case(1)
    second = make_case(2, patient=case.patient, study=case.study, series=case.series)
    store.add(source, [arrive(case)])
    assert store.images_by_accession() == {}
    store.add(source, [replace(arrive(case, "copy.dcm"), accession="first")])  # a duplicate tells it, too
    store.add(source, [replace(arrive(second), accession="later"), replace(arrive(case), accession="later")])
    assert set(store.images_by_accession()) == {"first"}


def test_a_refused_file_tells_no_accession_number(store: CohortStore, source: int) -> None:
    case = make_case(1)
    store.add(source, [arrive(case)])
    other = replace(case, pixels=digest_bytes(b"other"))
    (outcome,) = store.add(source, [replace(arrive(other, "other.dcm"), accession="number")])
    assert outcome.status is FileStatus.REJECTED
    assert store.images_by_accession() == {}


def test_the_history_of_a_label_says_who_read_which_table(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(1)])
    table = store.source("labels", "table", key_id=KEY_ID)
    ingest = store.begin_ingest(table, code="1", now=NOW, actor="anna", contents="mark")
    store.record_labels([LabelFact("case-0001", "diagnosis", "scar")], now=NOW, ingest=ingest)
    old, new = store.label_history("case-0001")
    assert (old.version, old.value, old.actor, old.ingest, old.contents) == (1, "drusen", None, None, None)
    assert (new.version, new.value, new.actor, new.ingest, new.contents) == (2, "scar", "anna", ingest, "mark")
    assert store.label_history("case-0002") == ()


def test_a_changed_label_is_a_new_version(unit: UnitOfWork, store: CohortStore) -> None:
    fill(unit, [make_case(1), make_case(2)], labels=None)
    facts = [LabelFact("case-0001", "grade", "a"), LabelFact("case-0002", "grade", "b"), LabelFact("x", "grade", "c")]
    first = store.record_labels(facts, now=NOW)
    second = store.record_labels([replace(facts[0], value="z"), facts[1]], now=NOW)
    assert (first.new, first.unknown, first.changed) == (2, 1, 0)
    assert (second.changed, second.unchanged, second.new) == (1, 1, 0)
    assert store.case("case-0001").labels == (Label("grade", "z", 2),)
    table = tables.label
    kept = unit.rows(select(table.c.value).where(table.c.case_id == "case-0001").order_by(table.c.version))
    assert [row.value for row in kept] == ["a", "z"]
    assert store.status().by_label == (Count("grade: b", 1), Count("grade: z", 1))


@pytest.mark.parametrize(
    ("known", "said", "counted", "status"),
    [
        (None, ("withdrawn", "2025-01-01"), "changed", "withdrawn"),
        (("withdrawn", "2025-01-01"), ("withdrawn", "2025-01-01"), "unchanged", "withdrawn"),
        (("withdrawn", "2025-01-01"), ("given", "2024-12-31"), "outdated", "withdrawn"),
        (("withdrawn", "2025-01-01"), ("given", "2025-01-01"), "outdated", "withdrawn"),
        (("given", "2025-01-01"), ("withdrawn", "2025-01-01"), "changed", "withdrawn"),
        (("withdrawn", "2025-01-01"), ("given", "2025-01-02"), "changed", "given"),
        (("given", "2025-01-01"), ("withdrawn", "2024-01-01"), "outdated", "given"),
        (("withdrawn", None), ("given", None), "changed", "given"),
    ],
)
def test_the_latest_word_of_the_register_counts(
    unit: UnitOfWork,
    store: CohortStore,
    known: tuple[str, str | None] | None,
    said: tuple[str, str | None],
    counted: str,
    status: str,
) -> None:
    fill(unit, [make_case()])
    if known is not None:
        store.record_consents([ConsentFact("patient-0001", ConsentStatus(known[0]), known[1])])
    counts = store.record_consents([ConsentFact("patient-0001", ConsentStatus(said[0]), said[1])])
    assert getattr(counts, counted) == 1
    assert store.case("case-0001").consent == status


def test_consent_given_by_unknown_patients_is_counted_not_stored(unit: UnitOfWork, store: CohortStore) -> None:
    counts = store.record_consents([ConsentFact("nobody", ConsentStatus.GIVEN, None)])
    assert counts.unknown == 1
    assert unit.scalar(select(func.count()).select_from(tables.patient)) == 0


def test_a_withdrawal_waits_for_images_that_come_later(unit: UnitOfWork, store: CohortStore) -> None:
    counts = store.record_consents([ConsentFact("patient-0001", ConsentStatus.WITHDRAWN, "2024-01-01")])
    assert counts.unknown == 1
    (outcome,) = store.add(store.source("dicom", "place", key_id=KEY_ID), [arrive(make_case())])
    assert outcome.reason == "suppressed-consent"
    assert store.cases() == ()


def test_every_patient_has_a_salt_of_their_own(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(1), make_case(2)])
    salts = store.salts(["patient-0001", "patient-0002", "nobody"])
    assert len({*salts.values()}) == 2
    assert all(len(salt) == 16 for salt in salts.values())
    assert commitment(b"salt", "p") == digest_bytes(b"saltp")
    assert [p.patient for p in store.patients(["patient-0002", "nobody"])] == ["patient-0002"]


def test_status_counts(unit: UnitOfWork) -> None:
    cases = [
        make_case(1, consent=ConsentStatus.WITHDRAWN),
        make_case(2, pixels=make_case(1).pixels, eye=Eye.LEFT, study_date="2020-01-01"),
        make_case(3, device=replace(DEVICE, model=None), eye=None, study_date=None),
    ]
    status = fill(unit, cases).status()
    assert (status.patients, status.studies, status.images, status.copies) == (3, 3, 3, 2)
    assert (status.first_date, status.last_date) == ("2020-01-01", "2024-03-01")
    assert status.by_device == (Count("(not recorded)", 1), Count("Cirrus 800 FA", 2))
    assert status.by_site == (Count(f"{cases[0].site}: (not recorded)", 1), Count(f"{cases[0].site}: Cirrus 800 FA", 2))
    assert status.by_label == (Count("diagnosis: atrophy", 1), Count("diagnosis: drusen", 2))
    assert status.by_consent == (Count("unknown", 2), Count("withdrawn", 1))
    assert status.by_eye == (Count("(not recorded)", 1), Count("L", 1), Count("R", 1))
    assert status.files == (Count("accepted", 3),)


def test_reading_costs_the_same_queries_however_many_cases(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(number) for number in range(30)])
    said: list[str] = []
    engine = unit.connection.engine

    def listen(*call: Any) -> None:
        said.append(call[2])

    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert len(store.cases()) == 30
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert len(said) == 5
