"""Intake from end to end: refusals, resuming, and not one identifier anywhere but in `file`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select

from helpers.desk import Desk, counts
from helpers.dicom_files import instance_uid, picture, write_dicom
from maintain.cohort import CohortStore, suppress
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.hospital import HospitalOptions, build_hospital
from maintain.intake import Pseudonyms, create_key
from maintain.records import Label
from maintain.settings import Settings, Workspace
from maintain.vocabulary import Reason
from maintain_pipelines import ingest as room
from maintain_pipelines.context import Context, silence
from maintain_pipelines.ingest import (
    IngestReport,
    ingest_source,
)
from maintain_registry import Ledger, MemoryStore, create_signing_key, load_signer


#: Words that name a patient in some way; each stands in headers, names of files or names of folders.
@pytest.mark.parametrize("place", ["gone", "empty", "foreign"])
def test_a_folder_with_nothing_to_read_changes_nothing(desk: Desk, tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "a.txt").write_text("hello")
    with pytest.raises(InputError):
        desk.dicom(tmp_path / place)
    with desk.read() as unit:
        assert unit.rows(select(tables.source)) == []


def test_another_key_is_refused(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a")
    desk.dicom(tmp_path / "in")
    stranger = Desk(desk.database, desk.arrays, Pseudonyms(bytes(32)), desk.clock)
    with pytest.raises(InputError, match="another pseudonym key"):
        stranger.dicom(tmp_path / "in")


def test_every_file_is_counted_once(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    first = write_dicom(folder / "a", 1)
    write_dicom(folder / "b", 2, PatientID="ANONYMOUS")
    (folder / "c").write_bytes(first.read_bytes())
    write_dicom(folder / "d", 1, pixels=picture(9))
    (folder / "e").write_bytes(first.read_bytes()[:-9])
    (folder / "f").write_text("notes")
    report = desk.dicom(folder)
    assert counts(report) == {"found": 6, "accepted": 2, "duplicate": 1, "rejected": 3, "unlinked-patient": 1}
    assert {count.name: count.count for count in report.rejected} == {
        "conflict": 1,
        "not-dicom": 1,
        "truncated": 1,
    }
    assert desk.arrays.count() == 2
    with desk.read() as unit:
        cases = CohortStore(unit).cases()
        stored = unit.rows(select(tables.ingest.c.finished, tables.ingest.c.counts))
    assert len(cases) == 2
    assert all(desk.arrays.has(case.pixels) for case in cases)
    assert stored[0].finished is not None
    assert stored[0].counts["accepted"] == 2


def test_said_again_it_reads_nothing(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    for number in range(3):
        write_dicom(folder / str(number), number)
    (folder / "x").write_text("notes")
    desk.dicom(folder)
    monkeypatch.setattr(room, "read_dicom", None)
    assert counts(desk.dicom(folder)) == {"found": 4, "unchanged": 4}


def test_a_changed_file_is_read_again(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_dicom(folder / "a", 1)
    desk.dicom(folder)
    os.utime(folder / "a", ns=(1, 1))
    assert counts(desk.dicom(folder)) == {"found": 1, "accepted": 1}
    write_dicom(folder / "a", 1, pixels=picture(9))
    assert counts(desk.dicom(folder)) == {"found": 1, "rejected": 1}


def test_lost_pixels_are_read_again(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a")
    desk.dicom(tmp_path / "in")
    for file in desk.arrays.root.glob("*/*.npy"):
        file.unlink()
    desk.dicom(tmp_path / "in")
    assert desk.arrays.count() == 1


def test_a_kill_costs_one_batch(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    for number in range(7):
        write_dicom(folder / f"{number}", number)
    monkeypatch.setattr(room, "BATCH_FILES", 2)
    opened = 0

    class Killed(BaseException):
        pass

    @contextmanager
    def begin() -> Iterator[UnitOfWork]:
        nonlocal opened
        opened += 1
        with desk.database.begin() as unit:
            yield unit
            if opened == 4:
                raise Killed

    with pytest.raises(Killed):
        desk.dicom(folder, begin=begin)
    with desk.read() as unit:
        assert len(CohortStore(unit).cases()) == 4
    assert counts(desk.dicom(folder)) == {"found": 7, "unchanged": 4, "accepted": 3}


def test_progress_ends_at_the_end(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BATCH_FILES", 2)
    for number in range(5):
        write_dicom(tmp_path / "in" / f"{number}", number)
    heard: list[tuple[int, int]] = []
    desk.dicom(tmp_path / "in", progress=lambda done, total: heard.append((done, total)))
    assert heard == [(2, 5), (4, 5), (5, 5)]


def test_the_record_shares_the_last_transaction(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a")

    def refuse(unit: UnitOfWork, report: IngestReport) -> None:
        raise InputError("no", remedy="no")

    with pytest.raises(InputError, match="no"):
        desk.dicom(tmp_path / "in", record=refuse)
    with desk.read() as unit:
        assert unit.scalar(select(tables.ingest.c.finished)) is None


#: How one picture may come back: the same file, or as another instance, study, series or patient.
DISGUISES: tuple[dict[str, Any], ...] = (
    {},
    {"SOPInstanceUID": instance_uid(71)},
    {"SOPInstanceUID": instance_uid(71), "StudyInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3.5"},
    {**dict.fromkeys(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), "1.2.3.6"), "PatientID": "P0777"},
    {**dict.fromkeys(("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"), "1.2.3.7"), "PatientID": "ANONYMOUS"},
)


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("wish", ["withdrawn", "consent", "data-subject"])
def test_a_suppressed_picture_leaves_only_the_reason(
    desk: Desk, tmp_path: Path, wish: str, known: bool, disguise: dict[str, Any]
) -> None:
    """Whether its case is still known or was erased; no row but the file's, and no pixels."""
    write_dicom(tmp_path / "before" / "a", 1)
    desk.dicom(tmp_path / "before")
    _wish(desk, tmp_path, wish)
    if not known and wish != "withdrawn":
        with desk.database.begin() as unit:
            for table in (tables.image_case, tables.series, tables.study, tables.patient):
                unit.execute(delete(table))
    for file in desk.arrays.root.glob("*/*.npy"):
        file.unlink()
    with desk.read() as unit:
        before = [case.case_id for case in CohortStore(unit).cases()]
        patients = unit.rows(select(tables.patient))
    write_dicom(tmp_path / "after" / "b", 1, pixels=picture(1), **disguise)
    report = desk.dicom(tmp_path / "after")
    word = "suppressed-data-subject" if wish == "data-subject" else "suppressed-consent"
    assert [(count.name, count.count) for count in report.rejected] == [(word, 1)]
    assert desk.arrays.count() == 0
    with desk.read() as unit:
        rows = unit.rows(select(tables.file).order_by(tables.file.c.id.desc()).limit(1))
        assert [(row.status, row.reason, row.case_id) for row in rows] == [("rejected", word, None)]
        assert [case.case_id for case in CohortStore(unit).cases()] == before
        assert unit.rows(select(tables.patient)) == patients


def _wish(desk: Desk, folder: Path, wish: str) -> None:
    """Consent withdrawn in the register, or one case suppressed for a person's reason."""
    if wish == "withdrawn":
        register = folder / "letter.csv"
        register.write_text("PatientID,IssuerOfPatientID,status\nP0001,CLINIC,withdrawn\n")
        desk.consents(register)
        return
    with desk.database.begin() as unit:
        suppress(unit, CohortStore(unit).cases(), reason=Reason(wish), policy="p", model=None, now=desk.clock.now())


def test_another_picture_of_a_patient_who_only_wants_one_erased_is_taken(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "before" / "a", 1)
    desk.dicom(tmp_path / "before")
    _wish(desk, tmp_path, "data-subject")
    write_dicom(tmp_path / "after" / "b", 2, PatientID="P0001")
    assert counts(desk.dicom(tmp_path / "after")) == {"found": 1, "accepted": 1}


def test_labels_and_consents_are_all_or_nothing(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    desk.dicom(tmp_path / "in")
    table = tmp_path / "labels.csv"
    table.write_text(f"SOPInstanceUID,diagnosis\n{instance_uid(1)},drusen\n1.2.3,atrophy\n")
    assert counts(desk.labels(table)) == {"new": 1, "unknown": 1}
    table.write_text(f"SOPInstanceUID,diagnosis\n{instance_uid(1)},atrophy\n{instance_uid(1)},drusen\n")
    with pytest.raises(InputError, match="lines 2 and 3"):
        desk.labels(table)
    register = tmp_path / "consents.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0001,CLINIC,withdrawn\nP0009,CLINIC,given\n")
    assert counts(desk.consents(register)) == {"changed": 1, "unknown": 1}
    with desk.read() as unit:
        (case,) = CohortStore(unit).cases()
    assert case.labels == (Label("diagnosis", "drusen", 1),)
    assert case.consent == "withdrawn"


def test_the_report_is_counts_only(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    (tmp_path / "in" / "b").write_text("notes")
    report = desk.dicom(tmp_path / "in")
    assert report.lines() == (
        "dicom: 2 found, 0 unchanged, 1 accepted, 1 rejected",
        "  rejected not-dicom: 1",
    )
    assert json.loads(json.dumps(report.document()))["counts"]["accepted"] == 1
    assert report.count("accepted") == 1
    assert report.count("nothing") == 0


def test_a_synthetic_hospital_is_read_whole(desk: Desk, tmp_path: Path) -> None:
    options = HospitalOptions(patients=12, seed=1, withdrawals=3, duplicates=4)
    hospital = build_hospital(tmp_path / "hospital", options)
    report = desk.dicom(hospital.dicom)
    assert counts(report) == {"found": hospital.images, "accepted": hospital.images}
    assert counts(desk.labels(hospital.labels)) == {"new": hospital.images}
    assert counts(desk.consents(hospital.withdrawals)) == {"changed": 3}
    with desk.read() as unit:
        status = CohortStore(unit).status()
    assert (status.images, status.patients) == (hospital.images, hospital.patients)
    assert status.copies >= 8


def test_a_source_is_read_with_its_ledger_entry(desk: Desk, tmp_path: Path) -> None:
    create_key(tmp_path / "keys" / "pseudonym.key")
    create_signing_key(tmp_path / "keys" / "ledger.pem")
    workspace = Workspace(tmp_path, Settings())
    signer = load_signer(workspace.signing_key)
    ledger = Ledger(clock=desk.clock, signer=signer, actor="tester", heads=workspace.ledger_heads)
    context = Context(workspace, desk.database, ledger, MemoryStore(), desk.arrays, desk.clock, silence())
    write_dicom(tmp_path / "in" / "a", 1)
    register = tmp_path / "consents.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0001,CLINIC,withdrawn\n")
    with pytest.raises(InputError, match="no kind of source called 'dicm'"):
        ingest_source("dicm", tmp_path / "in", context)
    reports = [ingest_source("dicom", tmp_path / "in", context), ingest_source("consent", register, context)]
    with desk.read() as unit:
        entries = ledger.entries(unit)
    assert [entry.event for entry in entries] == ["cohort-ingested", "consent-recorded"]
    assert [entry.body for entry in entries] == [report.document() for report in reports]


def test_pixels_arrive_unchanged(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 4)
    desk.dicom(tmp_path / "in")
    with desk.read() as unit:
        (case,) = CohortStore(unit).cases()
    assert np.array_equal(desk.arrays.get(case.pixels), picture(4))
