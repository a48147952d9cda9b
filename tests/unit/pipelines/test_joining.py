"""Labels find their images by a map; what does not fit is said both ways, and what could fit twice is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

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


ORDER = "join: {accession: Order}\nlabels: {diagnosis: Finding}\n"
ORDER_EYE = "join: {accession: Order, eye: Side}\nlabels: {diagnosis: Finding}\n"


@pytest.fixture
def orders(desk: Desk, tmp_path: Path) -> Path:
    """A1: a study of both eyes, the right one twice; A2: two studies; A3: one image; one image without a number."""
    folder = tmp_path / "in"
    said = ((1, "R", "A1", "1"), (2, "R", "A1", "1"), (3, "L", "A1", "1"), (4, "R", "A2", "2"), (5, "L", "A2", "3"))
    for number, eye, order, study in (*said, (6, "R", "A3", "4"), (7, "R", None, "5")):
        write_dicom(
            folder / str(number),
            number,
            PatientID="P1",
            StudyInstanceUID=f"1.2.{study}",
            ImageLaterality=eye,
            AccessionNumber=order,
        )
    desk.dicom(folder)
    return folder


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("Order,Finding\nA3,drusen\nA2,drusen\n", ORDER),
        ("Order,Side,Finding\nA3,R,drusen\nA2,L,drusen\n", ORDER_EYE),  # though one of the two has no left eye
    ],
)
def test_a_number_of_two_studies_is_refused_with_its_line_and_nothing_is_kept(
    desk: Desk, tmp_path: Path, orders: Path, text: str, mapping: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(desk, tmp_path, text, mapping)
    assert "table.csv, line 3: there are several studies with that accession number" in caught.value.message
    assert "A2" not in f"{caught.value.message} {caught.value.remedy}"
    assert labels(desk) == {}


def test_mismatches_of_accession_numbers_are_said_both_ways(desk: Desk, tmp_path: Path, orders: Path) -> None:
    report = read(desk, tmp_path, "Order,Side,Finding\nA1,L,drusen\nA9,R,drusen\nA3,L,drusen\n", ORDER_EYE)
    assert counts(report) == {"new": 1, "rows-without-image": 2, "images-without-row": 6}
    assert report.remarks == ("rows that match no image: lines 3 and 4",)
    assert labels(desk) == {case_id(desk, 3): "drusen"}


def test_without_an_eye_every_image_of_the_study_has_the_answer(desk: Desk, tmp_path: Path, orders: Path) -> None:
    report = read(desk, tmp_path, "Order,Finding\n A1 ,drusen\nA3,atrophy\n", ORDER)
    assert counts(report) == {"new": 4, "images-without-row": 3}
    assert labels(desk) == {**{case_id(desk, number): "drusen" for number in (1, 2, 3)}, case_id(desk, 6): "atrophy"}


def test_with_an_eye_every_image_of_that_eye_has_the_answer(desk: Desk, tmp_path: Path, orders: Path) -> None:
    mapping = f"{ORDER_EYE}eyes: {{R: RA, L: LA}}\n"
    report = read(desk, tmp_path, "Order,Side,Finding\nA1,RA,drusen\nA1,LA,atrophy\n", mapping)
    assert counts(report) == {"new": 3, "images-without-row": 4}
    assert labels(desk) == {case_id(desk, 1): "drusen", case_id(desk, 2): "drusen", case_id(desk, 3): "atrophy"}


def test_who_issued_an_accession_number_is_part_of_it(desk: Desk, tmp_path: Path) -> None:
    for number, issuer in ((1, "RIS"), (2, "ELSEWHERE")):
        item = Dataset()
        item.LocalNamespaceEntityID = issuer
        write_dicom(tmp_path / "in" / str(number), number, AccessionNumber="A1", IssuerOfAccessionNumberSequence=[item])
    desk.dicom(tmp_path / "in")
    table = "Order,Finding\nA1,drusen\n"
    assert counts(read(desk, tmp_path, table, ORDER)) == {"rows-without-image": 1, "images-without-row": 2}
    issued = ORDER.replace("Order}", "Order, issued_by: RIS}")
    assert counts(read(desk, tmp_path, table, issued)) == {"new": 1, "images-without-row": 1}
    by_row = ORDER.replace("Order}", "Order, issuer: By}")
    read(desk, tmp_path, "Order,By,Finding\nA1,ELSEWHERE,atrophy\n", by_row)
    assert labels(desk) == {case_id(desk, 1): "drusen", case_id(desk, 2): "atrophy"}


def test_an_answer_by_accession_number_has_a_history_like_any_other(desk: Desk, tmp_path: Path, orders: Path) -> None:
    first = read(desk, tmp_path, "Order,Finding\nA3,drusen\n", ORDER)
    read(desk, tmp_path, f"UID,Finding\n{instance_uid(6)},atrophy\n", UID, actor="ben")
    with desk.read() as unit:
        old, new = CohortStore(unit).label_history(case_id(desk, 6))
    assert (old.version, old.value, old.actor, old.contents) == (1, "drusen", "anna", first.contents)
    assert (new.version, new.value, new.actor) == (2, "atrophy", "ben")
