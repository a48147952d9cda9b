"""Labels find their images by a map; what does not fit is said both ways, and what could fit twice is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.desk import Desk, counts
from helpers.dicom_files import instance_uid, write_dicom
from maintain.cohort import CohortStore
from maintain.errors import InputError
from maintain_pipelines.ingest import IngestReport

EYE = "join: {patient: MRN, issued_by: CLINIC, date: Visit, eye: Side}\nlabels: {diagnosis: Finding}\n"
UID = "join: {instance: UID}\nlabels: {diagnosis: Finding}\n"
HEAD = "MRN,Visit,Side,Finding\n"


@pytest.fixture
def images(desk: Desk, tmp_path: Path) -> Path:
    """Both eyes of one patient, the right one twice; one eye of another."""
    folder = tmp_path / "in"
    for number, eye, patient in ((1, "R", "P1"), (2, "R", "P1"), (3, "L", "P1"), (4, "R", "P2")):
        write_dicom(folder / str(number), number, PatientID=patient, ImageLaterality=eye)
    desk.dicom(folder)
    return folder


def read(desk: Desk, tmp_path: Path, text: str, mapping: str, *, actor: str = "anna") -> IngestReport:
    table, said = tmp_path / "table.csv", tmp_path / "map.yaml"
    table.write_text(text, encoding="utf-8")
    said.write_text(mapping, encoding="utf-8")
    return desk.labels(table, actor=actor, mapping=said)


def labels(desk: Desk) -> dict[str, str]:
    with desk.read() as unit:
        return {case.case_id: label.value for case in CohortStore(unit).cases() for label in case.labels}


def case_id(desk: Desk, number: int) -> str:
    return desk.pseudonyms.uid("instance", instance_uid(number))


def test_a_row_of_several_images_is_refused_with_its_line_and_nothing_is_kept(
    desk: Desk, tmp_path: Path, images: Path
) -> None:
    rows = "P1,2024-03-01,L,drusen\nP1,2024-03-01,R,drusen\nP2,2024-03-01,R,drusen\n"
    with pytest.raises(InputError) as caught:
        read(desk, tmp_path, HEAD + rows, EYE)
    assert "table.csv, line 3: there are several images" in caught.value.message
    assert "P1" not in caught.value.message
    assert labels(desk) == {}


def test_mismatches_are_said_both_ways(desk: Desk, tmp_path: Path, images: Path) -> None:
    rows = "P1,2024-03-01,L,drusen\nP2,2024-03-01,L,drusen\nP9,2024-03-01,R,drusen\nP2,2024-03-02,R,drusen\n"
    report = read(desk, tmp_path, HEAD + rows, EYE)
    assert counts(report) == {"new": 1, "rows-without-image": 3, "images-without-row": 3}
    assert report.remarks == ("rows that match no image: lines 3, 4 and 5",)
    assert "lines 3" not in str(report.document())
    assert labels(desk) == {case_id(desk, 3): "drusen"}


def test_the_issuer_is_part_of_who_is_meant(desk: Desk, tmp_path: Path, images: Path) -> None:
    rows = "P1,2024-03-01,L,drusen\n"
    report = read(desk, tmp_path, HEAD + rows, EYE.replace("CLINIC", "ELSEWHERE"))
    assert counts(report) == {"rows-without-image": 1, "images-without-row": 4}


def test_by_uid_every_image_of_an_eye_has_its_own_answer(desk: Desk, tmp_path: Path, images: Path) -> None:
    table = f"UID,Finding\n{instance_uid(1)},drusen\n{instance_uid(2)},\n{instance_uid(1)},drusen\n1.2.3,x\n"
    report = read(desk, tmp_path, table, UID)
    assert counts(report) == {"new": 1, "rows-without-image": 1, "images-without-row": 2}
    assert labels(desk) == {case_id(desk, 1): "drusen"}


def test_an_image_without_an_eye_is_nobodys_guess(desk: Desk, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "1", 1, PatientID="P1", ImageLaterality=None)
    desk.dicom(tmp_path / "in")
    report = read(desk, tmp_path, f"{HEAD}P1,2024-03-01,R,drusen\n", EYE)
    assert counts(report) == {"rows-without-image": 1, "images-without-row": 1}


def test_a_changed_answer_keeps_the_old_one_with_who_when_and_which_table(
    desk: Desk, tmp_path: Path, images: Path
) -> None:
    first = read(desk, tmp_path, f"{HEAD}P1,2024-03-01,L,drusen\n", EYE)
    second = read(desk, tmp_path, f"UID,Finding\n{instance_uid(3)},atrophy\n", UID, actor="ben")
    again = read(desk, tmp_path, f"UID,Finding\n{instance_uid(3)},atrophy\n", UID, actor="carl")
    assert (counts(first)["new"], counts(second)["changed"], counts(again)["unchanged"]) == (1, 1, 1)
    assert first.contents != second.contents == again.contents
    with desk.read() as unit:
        old, new = CohortStore(unit).label_history(case_id(desk, 3))
    assert (old.version, old.value, old.actor, old.contents) == (1, "drusen", "anna", first.contents)
    assert (new.version, new.value, new.actor, new.contents) == (2, "atrophy", "ben", second.contents)
    assert old.recorded <= new.recorded
    assert None not in (old.ingest, new.ingest)
