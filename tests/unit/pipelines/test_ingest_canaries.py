"""No identifier that stands in headers, names or tables gets past intake."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from helpers.desk import Desk
from helpers.dicom_files import instance_uid, picture, write_dicom
from maintain.cohort import CohortStore
from maintain.database import tables
from maintain.errors import MaintainError

#: Words that name a patient in some way; each stands in headers, names of files or names of folders.
CANARIES = (
    "CANARYNAME",
    "CANARYID",
    "CANARYISSUER",
    "CANARYACCESSION",
    "CANARYORDER",
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
    mapping = tmp_path / "map.yaml"
    mapping.write_text("join: {accession: CANARYORDER}\nlabels: {grade: grade}\n")
    bad: list[tuple[Callable[[Path], object], str | None]] = [
        (desk.labels, "1.2.826.0.1.3680043.7,drusen\n"),
        (desk.labels, "SOPInstanceUID,PatientName\n1.2,CANARYNAME\n"),
        (desk.labels, "SOPInstanceUID,grade\n1.2.826.0.1.3680043.1,CANARYNAME\n1.2.826.0.1.3680043.1,b\n"),
        (desk.labels, f"SOPInstanceUID,grade\n1.2.826.0.1.3680043.1,{'CANARYNAME' * 9}\n"),
        (desk.labels, 'SOPInstanceUID,grade\nCANARYID,"CANARYNAME\n'),
        (desk.consents, "PatientID,status\nCANARYID-7,CANARYNAME\n"),
        (desk.consents, "PatientID,status,date\nCANARYID-7,given,19470315\n"),
        (desk.consents, "PatientID,status\nCANARYID-7,given\nCANARYID-7,withdrawn\n"),
        (partial(desk.labels, mapping=mapping), "CANARYORDER,grade\nCANARYACCESSION,drusen\n"),
        (partial(desk.labels, mapping=mapping), "CANARYORDER,grade\nCANARYACCESSION,drusen\n,drusen\n"),
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
