"""Intake from end to end: refusals, resuming, and not one identifier anywhere but in `file`."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select

from helpers.dicom_files import instance_uid, picture, write_dicom
from maintain.arrays import ArrayStore
from maintain.clock import FrozenClock
from maintain.cohort import CohortStore, suppress
from maintain.database import Database, UnitOfWork, create_database, tables
from maintain.errors import InputError, MaintainError
from maintain.hospital import HospitalOptions, build_hospital
from maintain.intake import Pseudonyms, create_key
from maintain.records import Label
from maintain.settings import Settings, Workspace
from maintain.vocabulary import Reason
from maintain_pipelines import ingest as room
from maintain_pipelines.context import Context, silence
from maintain_pipelines.ingest import (
    IngestReport,
    ingest_consents,
    ingest_dicom,
    ingest_labels,
    ingest_source,
)
from maintain_registry import Ledger, MemoryStore, create_signing_key, load_signer

#: Words that name a patient in some way; each stands in headers, names of files or names of folders.
CANARIES = (
    "CANARYNAME",
    "CANARYID",
    "CANARYISSUER",
    "CANARYACCESSION",
    "CANARYSTUDYID",
    "CANARYOTHER",
    "CANARYSITE",
    "CANARYSTATION",
    "CANARYSERIAL",
    "CANARYDESCRIPTION",
    "CANARYREFERRER",
    "CANARYFILE",
    "CANARYFOLDER",
    "CANARYROOT",
    "19470315",
    "1947",
    "1.2.826.0.1.3680043",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an intake needs."""

    database: Database
    arrays: ArrayStore
    pseudonyms: Pseudonyms
    clock: FrozenClock

    def dicom(self, folder: Path, **more: Any) -> IngestReport:
        return ingest_dicom(
            folder,
            **{"begin": self.database.begin, **more},
            arrays=self.arrays,
            pseudonyms=self.pseudonyms,
            clock=self.clock,
        )

    def labels(self, path: Path) -> IngestReport:
        return ingest_labels(path, begin=self.database.begin, pseudonyms=self.pseudonyms, clock=self.clock)

    def consents(self, path: Path) -> IngestReport:
        return ingest_consents(path, begin=self.database.begin, pseudonyms=self.pseudonyms, clock=self.clock)

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self.database.read()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = create_database(tmp_path / "maintain.db")
    yield Desk(database, ArrayStore(tmp_path / "arrays"), Pseudonyms(bytes(range(32))), FrozenClock())
    database.close()


def counts(report: IngestReport) -> dict[str, int]:
    return {count.name: count.count for count in report.counts if count.count}


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


def _canary_files(folder: Path) -> None:
    secrets: dict[str, Any] = {
        "PatientName": "CANARYNAME^Jane",
        "PatientID": "CANARYID-7",
        "IssuerOfPatientID": "CANARYISSUER",
        "OtherPatientIDs": "CANARYOTHER",
        "PatientBirthDate": "19470315",
        "AccessionNumber": "CANARYACCESSION",
        "StudyID": "CANARYSTUDYID",
        "InstitutionName": "CANARYSITE Clinic",
        "StationName": "CANARYSTATION",
        "DeviceSerialNumber": "CANARYSERIAL",
        "StudyDescription": "CANARYDESCRIPTION",
        "ReferringPhysicianName": "CANARYREFERRER",
        "StudyDate": "20240301",
    }
    inner = folder / "CANARYFOLDER^Jane"
    whole = write_dicom(inner / "CANARYFILE_1.dcm", 1, **secrets)
    write_dicom(inner / "CANARYFILE_2.dcm", 2, **{**secrets, "PatientID": "ANONYMOUS"})
    write_dicom(inner / "CANARYFILE_3.dcm", 1, **secrets, pixels=picture(8))
    data = whole.read_bytes()
    (inner / "CANARYFILE_4").write_bytes(data[:-20])
    (inner / "CANARYFILE_5").write_bytes(data.replace(b"19470315", b"CANARYID"))
    (inner / "CANARYFILE_6").write_bytes(data.replace(b"1.2.826", b"CANARYI"))
    (inner / "CANARYFILE_7").write_bytes(b"CANARYNAME")


def test_no_identifier_gets_anywhere(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    root = tmp_path / "CANARYROOT"
    _canary_files(root)
    said: list[str] = [repr(desk.dicom(root)), *desk.dicom(root).lines()]
    labels = tmp_path / "labels.csv"
    labels.write_text(f"SOPInstanceUID,diagnosis\n{instance_uid(1)},drusen\n{instance_uid(5)},drusen\n")
    said.append(repr(desk.labels(labels)))
    register = tmp_path / "register.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nCANARYID-7,CANARYISSUER,withdrawn\nCANARYID-8,,given\n")
    said.append(repr(desk.consents(register)))
    said += _refusals(desk, tmp_path)
    with desk.read() as unit:
        cases = CohortStore(unit).cases()
        assert len(cases) >= 2
        said += [repr(cases), repr(CohortStore(unit).status())]
        for table in tables.metadata.sorted_tables:
            said += [repr(row) for row in unit.rows(select(table))]
    said += [str(path.relative_to(tmp_path)) for path in desk.arrays.root.rglob("*")]
    said += [record.getMessage() for record in caplog.records]
    said += capfd.readouterr()
    text = "\n".join(said)
    assert [canary for canary in CANARIES if canary in text] == []
    with desk.read() as unit:
        assert len(unit.rows(select(tables.file.c.path))) == 7


def _refusals(desk: Desk, tmp_path: Path) -> list[str]:
    """Everything that intake says when it refuses these, tracebacks included."""
    bad: list[tuple[Callable[[Path], object], str | None]] = [
        (desk.labels, "1.2.826.0.1.3680043.7,drusen\n"),
        (desk.labels, "SOPInstanceUID,PatientName\n1.2,CANARYNAME\n"),
        (desk.labels, "SOPInstanceUID,grade\n1.2.826.0.1.3680043.1,CANARYNAME\n1.2.826.0.1.3680043.1,b\n"),
        (desk.labels, f"SOPInstanceUID,grade\n1.2.826.0.1.3680043.1,{'CANARYNAME' * 9}\n"),
        (desk.labels, 'SOPInstanceUID,grade\nCANARYID,"CANARYNAME\n'),
        (desk.consents, "PatientID,status\nCANARYID-7,CANARYNAME\n"),
        (desk.consents, "PatientID,status,date\nCANARYID-7,given,19470315\n"),
        (desk.consents, "PatientID,status\nCANARYID-7,given\nCANARYID-7,withdrawn\n"),
        (desk.dicom, None),
    ]
    said = []
    for number, (reader, text) in enumerate(bad):
        path = tmp_path / f"table-{number}.csv"
        if text is not None:
            path.write_text(text)
        with pytest.raises(MaintainError) as caught:
            reader(path)
        frames = traceback.TracebackException.from_exception(caught.value)
        said += [caught.value.message, caught.value.remedy]
        said += [str(caught.value), *frames.format()]
    return said


def test_pixels_arrive_unchanged(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 4)
    desk.dicom(tmp_path / "in")
    with desk.read() as unit:
        (case,) = CohortStore(unit).cases()
    assert np.array_equal(desk.arrays.get(case.pixels), picture(4))
