"""Issuers are kept once, sealed; and a search that could have missed somebody says what stands in its way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from helpers.barring import bar
from helpers.cohorts import KEY_ID, NOW, arrive, make_case
from maintain.cohort import (
    Arrival,
    CohortStore,
    ConsentFact,
    Coverage,
    PersonFact,
    coverage,
    intakes_without_issuers,
    keep_issuers,
    sealed_issuers,
    suppress,
    unlinked_people,
)
from maintain.database import UnitOfWork, tables
from maintain.records import Case
from maintain.vocabulary import ConsentStatus, FileStatus, Reason

#: Which of the four figures leave a search open.
OPEN = [Coverage(2, 1, 0, 0), Coverage(2, 0, 1, 0), Coverage(2, 0, 0, 1), Coverage(0, 1, 1, 1)]


@pytest.fixture
def store(unit: UnitOfWork) -> CohortStore:
    return CohortStore(unit)


@pytest.fixture
def source(store: CohortStore) -> int:
    return store.source("dicom", "folder", key_id=KEY_ID)


def told(case: Case, *, linked: bool = True, issuer: str | None = "clinic", path: str | None = None) -> Arrival:
    """A file whose header named an issuer."""
    sealed = None if issuer is None else (f"mark of {issuer}", issuer.encode())
    return replace(arrive(case, path), person=PersonFact(f"mark of {case.patient}", linked, sealed))


def before(case: Case, path: str | None = None) -> Arrival:
    """A file as an earlier version read it."""
    return replace(arrive(case, path), person=None)


def earlier_intake(store: CohortStore, source: int) -> None:
    """An intake of before issuers were kept."""
    number = store.begin_ingest(source, code="0.1", now=NOW)
    store.unit.execute(update(tables.ingest).where(tables.ingest.c.id == number).values(issuers=None))


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.CONSENT, Reason.DATA_SUBJECT])
def test_a_barred_person_leaves_only_the_word_of_the_reason(
    store: CohortStore, source: int, unit: UnitOfWork, reason: Reason
) -> None:
    bar(unit, "mark of patient-0001", reason=reason)
    (outcome,) = store.add(source, [told(make_case())])
    assert (outcome.status, outcome.reason, outcome.case_id) == (
        FileStatus.REJECTED,
        f"suppressed-{reason.value}",
        None,
    )
    kept = (tables.patient, tables.study, tables.series, tables.device, tables.image_case, tables.issuer)
    assert [unit.rows(select(table)) for table in kept] == [[]] * len(kept)
    assert "case-0001.dcm" not in store.known_files(source)  # looked at again by the next intake


def test_others_of_the_batch_are_filed(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    bar(unit, "mark of patient-0002")
    outcomes = store.add(source, [told(make_case(number)) for number in (1, 2, 3)])
    assert [outcome.reason for outcome in outcomes] == [None, "suppressed-data-subject", None]


def test_whom_two_requests_bar_has_the_word_of_the_first(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    bar(unit, "mark of patient-0001", number=2, reason=Reason.DATA_SUBJECT)
    bar(unit, "mark of patient-0001", number=1, reason=Reason.CONSENT)
    assert store.add(source, [told(make_case())])[0].reason == "suppressed-consent"


def test_new_pictures_of_a_known_person_are_refused_too(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [told(make_case())])
    bar(unit, "mark of patient-0001")
    another = make_case(2, patient="patient-0001")
    assert store.add(source, [told(another)])[0].reason == "suppressed-data-subject"
    assert len(store.cases()) == 1


# --- what is open -----------------------------------------------------------------------------------


@pytest.mark.parametrize("open_", OPEN)
def test_a_search_that_could_have_missed_somebody_says_what_to_do(open_: Coverage) -> None:
    assert not open_.complete
    assert all("`maintain cohort" in line or "read their files again" in line for line in open_.told())
    assert len(open_.told()) == 1 + (open_ is OPEN[-1])  # patients of before lie in the folders of before


def test_a_search_that_reached_everybody_says_nothing() -> None:
    assert Coverage(3, 0, 0, 0).complete
    assert Coverage(3, 0, 0, 0).told() == ()


def test_a_study_that_names_nobody_leaves_a_search_open(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [told(make_case(1)), told(make_case(2), linked=False, issuer=None)])
    assert unlinked_people(unit) == (1, 0)
    assert coverage(unit) == Coverage(issuers=1, intakes_without=0, unlinked=1, unknown_links=0)


# --- issuers ----------------------------------------------------------------------------------------


def test_each_issuer_is_kept_once_and_the_first_seal_stays(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [told(make_case(1), issuer="b"), told(make_case(2), issuer="a"), told(make_case(3))])
    keep_issuers(unit, {"mark of a": b"sealed again", "mark of z": b"z"})
    assert sealed_issuers(unit) == (b"a", b"b", b"clinic", b"z")
    assert coverage(unit).issuers == 4


def test_the_empty_issuer_has_no_row(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [told(make_case(), issuer=None)])
    assert sealed_issuers(unit) == ()
    assert coverage(unit).complete


def test_a_contradictory_file_of_nobody_known_leaves_no_issuer(
    store: CohortStore, source: int, unit: UnitOfWork
) -> None:
    store.add(source, [told(make_case())])
    store.add(source, [told(make_case(patient="patient-0002"), issuer="other", path="again.dcm")])
    assert sealed_issuers(unit) == (b"clinic",)


# --- what an earlier version left -------------------------------------------------------------------


def test_a_folder_of_before_counts_until_a_file_of_each_patient_was_read_again(
    store: CohortStore, source: int, unit: UnitOfWork
) -> None:
    cases = [make_case(1), make_case(2)]
    store.add(source, [before(case) for case in cases])
    earlier_intake(store, source)
    assert coverage(unit) == Coverage(issuers=0, intakes_without=1, unlinked=0, unknown_links=2)
    assert store.known_files(source) == {}
    store.add(source, [told(cases[0])])
    assert intakes_without_issuers(unit) == 1
    assert set(store.known_files(source)) == {"case-0001.dcm"}
    store.add(source, [told(cases[1], linked=False)])
    assert coverage(unit) == Coverage(issuers=1, intakes_without=0, unlinked=1, unknown_links=0)
    assert set(store.known_files(source)) == {"case-0001.dcm", "case-0002.dcm"}


def test_copies_of_the_files_elsewhere_do_as_well(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [before(make_case())])
    earlier_intake(store, source)
    moved = store.source("dicom", "elsewhere", key_id=KEY_ID)
    assert store.add(moved, [told(make_case())])[0].status is FileStatus.DUPLICATE
    assert coverage(unit).complete
    assert sealed_issuers(unit) == (b"clinic",)


def test_a_file_that_is_refused_now_still_tells_of_its_patient(
    store: CohortStore, source: int, unit: UnitOfWork
) -> None:
    """Otherwise a person who was barred before the migration would leave every later search open."""
    store.add(source, [before(make_case())])
    earlier_intake(store, source)
    suppress(unit, store.cases(), reason=Reason.CONSENT, policy="p", model=None, now=NOW)
    assert store.add(source, [told(make_case())])[0].reason == "suppressed-consent"
    assert coverage(unit).complete


def test_patients_of_no_known_folder_stay_unknown(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.add(source, [before(make_case())])
    earlier_intake(store, source)
    unit.execute(update(tables.file).values(status=FileStatus.REJECTED.value, reason="conflict", case_id=None))
    found = coverage(unit)
    assert found == Coverage(issuers=0, intakes_without=0, unlinked=0, unknown_links=1)
    assert "lie in no folder" in found.told()[0]


def test_a_withdrawal_without_images_leaves_no_search_open(store: CohortStore, unit: UnitOfWork) -> None:
    store.record_consents([ConsentFact("patient-0001", ConsentStatus.WITHDRAWN, None)])
    assert unit.scalar(select(tables.patient.c.linked)) is True
    unit.execute(update(tables.patient).values(linked=None))  # as an earlier version kept it
    assert coverage(unit) == Coverage(0, 0, 0, 0)


def test_an_intake_says_that_it_keeps_issuers(store: CohortStore, source: int, unit: UnitOfWork) -> None:
    store.begin_ingest(source, code="1", now=NOW)
    assert unit.scalar(select(tables.ingest.c.issuers)) is True
