"""Intake and the people behind the pseudonyms: barred ones stay out, issuers are sealed, links are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, event, select, update

from helpers.barring import bar
from helpers.desk import Desk, counts
from helpers.dicom_files import write_dicom
from maintain.cohort import CohortStore, Coverage, coverage, sealed_issuers
from maintain.database import tables
from maintain.intake import EyeColumns, read_consents, read_dicom, read_mapped_labels
from maintain.vocabulary import FileStatus, Reason, RequestState
from maintain_pipelines import ingest as room


def _mark(desk: Desk, patient_id: str, issuer: str = "CLINIC") -> str:
    pseudonym = desk.pseudonyms.patient(patient_id, issuer)
    assert pseudonym is not None
    return desk.pseudonyms.barred(pseudonym)


def _issuers(desk: Desk) -> set[str]:
    with desk.read() as unit:
        return {desk.pseudonyms.unseal(sealed) for sealed in sealed_issuers(unit)}


def _as_before(desk: Desk) -> None:
    """Forget what an earlier version did not ask."""
    with desk.database.begin() as unit:
        unit.execute(update(tables.patient).values(linked=None))
        unit.execute(update(tables.study).values(accession=None))
        unit.execute(update(tables.ingest).values(issuers=None))
        unit.execute(delete(tables.issuer))


@pytest.mark.parametrize("reason", [Reason.CONSENT, Reason.DATA_SUBJECT])
def test_a_barred_person_is_refused_until_the_request_is_withdrawn(desk: Desk, tmp_path: Path, reason: Reason) -> None:
    write_dicom(tmp_path / "in" / "a", 1, IssuerOfPatientID="ELSEWHERE")
    with desk.database.begin() as unit:
        bar(unit, _mark(desk, "P0001", "ELSEWHERE"), reason=reason)
    for _ in range(2):  # looked at again each time
        report = desk.dicom(tmp_path / "in")
        assert [(count.name, count.count) for count in report.rejected] == [(f"suppressed-{reason.value}", 1)]
        assert desk.arrays.count() == 0
        assert _issuers(desk) == set()
        with desk.read() as unit:
            (row,) = unit.rows(select(tables.file))
            assert (row.status, row.case_id) == (FileStatus.REJECTED, None)
            for table in (tables.patient, tables.study, tables.series, tables.device, tables.image_case):
                assert unit.rows(select(table)) == []
    with desk.database.begin() as unit:
        unit.execute(delete(tables.barred_person))
    assert counts(desk.dicom(tmp_path / "in")) == {"found": 1, "accepted": 1}
    assert desk.arrays.count() == 1


@pytest.mark.parametrize("state", [RequestState.OPEN, RequestState.CLOSED])
def test_tables_about_a_barred_person_leave_nothing_but_a_withdrawal_until_it_is_closed(
    desk: Desk, tmp_path: Path, state: RequestState
) -> None:
    """A request that is not closed may be withdrawn; the register's word must hold on that day."""
    write_dicom(tmp_path / "in" / "a", 1)
    write_dicom(tmp_path / "in" / "b", 2)
    with desk.database.begin() as unit:
        bar(unit, _mark(desk, "P0001"), state=state)
    desk.dicom(tmp_path / "in")
    register = tmp_path / "register.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0001,CLINIC,withdrawn\nP0002,CLINIC,given\n")
    assert counts(desk.consents(register)) == {"changed": 1, "unknown": 1}
    labels = tmp_path / "labels.csv"
    labels.write_text("Who,Day,Side,Grade\nP0001,2024-03-01,R,drusen\n")
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "join: {patient: Who, issued_by: CLINIC, date: Day, eye: Side, date_format: YYYY-MM-DD}\n"
        "labels: {grade: Grade}\n"
    )
    assert counts(desk.labels(labels, mapping=mapping)) == {"rows-without-image": 1, "images-without-row": 1}
    with desk.read() as unit:
        consents = {row.patient: row.consent for row in unit.rows(select(tables.patient))}
        assert unit.rows(select(tables.label)) == []
        assert coverage(unit).complete
    waiting = {} if state is RequestState.CLOSED else {desk.pseudonyms.patient("P0001", "CLINIC"): "withdrawn"}
    assert consents == {desk.pseudonyms.patient("P0002", "CLINIC"): "given", **waiting}


def test_every_issuer_is_kept_sealed_and_the_empty_one_needs_no_row(desk: Desk, tmp_path: Path) -> None:
    for number, issuer in enumerate(("CLINIC", " CLINIC ", "Mu\u0308nster", "", None, "\\")):
        write_dicom(tmp_path / "in" / str(number), number, SpecificCharacterSet="ISO_IR 192", IssuerOfPatientID=issuer)
    assert counts(desk.dicom(tmp_path / "in"))["accepted"] == 6
    kept = {text.strip() for text in _issuers(desk)}
    assert kept == {"CLINIC", "Mu\u0308nster", "\\"}
    with desk.read() as unit:
        assert coverage(unit) == Coverage(issuers=3, intakes_without=0, unlinked=0, unknown_links=0)
        rows = unit.rows(select(tables.issuer))
        patients = {row.patient for row in unit.rows(select(tables.patient))}
    assert all(desk.pseudonyms.issuer(desk.pseudonyms.unseal(row.sealed)) == row.mark for row in rows)
    tried = [*_issuers(desk), ""]
    found = {desk.pseudonyms.patient(f"P{number:04d}", issuer) for number in range(6) for issuer in tried}
    assert patients <= found  # whoever knows the number finds the patient


def test_an_issuer_of_a_number_that_names_nobody_is_kept_and_the_study_is_not_linked(
    desk: Desk, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    write_dicom(tmp_path / "in" / "b", 2, PatientID="ANONYMOUS", IssuerOfPatientID="ARCHIVE")
    desk.dicom(tmp_path / "in")
    with desk.read() as unit:
        linked = {row.patient: row.linked for row in unit.rows(select(tables.patient))}
    assert linked[str(desk.pseudonyms.patient("P0001", "CLINIC"))] is True
    assert sorted(linked.values()) == [False, True]
    assert _issuers(desk) == {"CLINIC", "ARCHIVE"}


def test_registers_and_mapped_tables_tell_issuers(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 1, IssuerOfPatientID=None)
    desk.dicom(tmp_path / "in")
    register = tmp_path / "register.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0001,REGISTER,given\nP0002,,given\n")
    desk.consents(register)
    assert _issuers(desk) == {"REGISTER"}
    labels = tmp_path / "labels.csv"
    labels.write_text("Who,From,Day,Side,Grade\nP0001,GRADERS,2024-03-01,R,drusen\nP0001,,2024-03-01,R,drusen\n")
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "join: {patient: Who, issuer: From, date: Day, eye: Side, date_format: YYYY-MM-DD}\nlabels: {grade: Grade}\n"
    )
    desk.labels(labels, mapping=mapping)
    assert _issuers(desk) == {"REGISTER", "GRADERS"}
    with desk.read() as unit:
        assert {row.issuers for row in unit.rows(select(tables.ingest))} == {True}


def test_readings_and_tables_do_not_show_their_issuers(desk: Desk, tmp_path: Path) -> None:
    reading = read_dicom(write_dicom(tmp_path / "a", 1, IssuerOfPatientID="SECRET"), desk.pseudonyms)
    table = tmp_path / "labels.csv"
    table.write_text("Who,Day,Side,Grade\nP0001,2024-03-01,R,drusen\n")
    join = EyeColumns("Who", "Day", "Side", "%Y-%m-%d", issued_by="SECRET")
    mapped = read_mapped_labels(table, join, {"grade": "Grade"}, desk.pseudonyms)
    register = tmp_path / "register.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0001,SECRET,given\n")
    consents = read_consents(register, desk.pseudonyms)
    assert mapped.issuers == consents.issuers == ("SECRET",)
    assert "SECRET" not in repr((reading, mapped, consents))


def test_folders_of_before_are_read_once_more(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    for number in range(4):
        patient, order = ("P0", "P1", "P2", "ANONYMOUS")[number], ("A0", "A1", None, "A3")[number]
        write_dicom(folder / str(number), number, PatientID=patient, AccessionNumber=order)
    (folder / "copy").write_bytes((folder / "0").read_bytes())
    (folder / "notes").write_text("notes")
    desk.dicom(folder)
    with desk.read() as unit:
        cases, numbered = CohortStore(unit).cases(), CohortStore(unit).images_by_accession()
    assert set(numbered) == {desk.pseudonyms.accession(number, None) for number in ("A0", "A1", "A3")}
    _as_before(desk)
    with desk.read() as unit:
        assert coverage(unit) == Coverage(issuers=0, intakes_without=1, unlinked=0, unknown_links=4)
    again = {"found": 6, "unchanged": 1, "accepted": 4, "duplicate": 1, "unlinked-patient": 1}
    assert counts(desk.dicom(folder)) == again
    with desk.read() as unit:
        assert coverage(unit) == Coverage(issuers=1, intakes_without=0, unlinked=1, unknown_links=0)
        assert CohortStore(unit).cases() == cases
        assert CohortStore(unit).images_by_accession() == numbered
    monkeypatch.setattr(room, "read_dicom", None)
    assert counts(desk.dicom(folder)) == {"found": 6, "unchanged": 6}


def test_a_batch_costs_the_same_statements_however_many_files(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    seen = []
    for folder, files in (("few", range(3)), ("many", range(10, 40))):
        for number in files:
            write_dicom(tmp_path / folder / str(number), number, IssuerOfPatientID=f"ISSUER {number}")
        said.clear()
        desk.dicom(tmp_path / folder)
        seen.append(len(said))
    assert seen[0] == seen[1]
