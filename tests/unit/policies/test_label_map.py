"""The map of a table of labels: every mistake at its line and column, and nothing of a table shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain_policies import LabelMap, read_label_map

EYE = "join: {patient: MRN, date: Visit, eye: Side}\n"


def write(tmp_path: Path, text: str, name: str = "labels.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "labels.yaml:1:1: the file is empty"),
        ("join: {instance: UID\n", "labels.yaml:2:1: this is not YAML"),
        ("- join\n", "labels.yaml:1:1: a map is a mapping of join, eyes, labels"),
        ("labels: {grade: G}\n", "labels.yaml:1:1: join names the column of the instance"),
        ("join: UID\nlabels: {grade: G}\n", "labels.yaml:1:7: join is a mapping"),
        ("join: {instance: UID}\n", "labels.yaml:1:1: labels names no column"),
        ("join: {instance: UID}\nlabels: {}\n", "labels.yaml:2:9: labels names no column"),
        ("join: {instance: UID}\nlabels: {grade: }\n", "labels.grade must be text"),
        ("join: {instance: [UID]}\nlabels: {grade: G}\n", "labels.yaml:1:18: join.instance must be text"),
        ("join: {instance: UID}\nlabels: {My Grade: G}\n", "labels.yaml:2:10: a label is called in small letters"),
        ("join: {accession: }\nlabels: {grade: G}\n", "join.accession must be text"),
        ("join: {instance: U, accession: A}\nlabels: {grade: G}\n", "labels.yaml:1:32: instance says which image"),
        (
            "join: {accession: A, patient: P}\nlabels: {grade: G}\n",
            "labels.yaml:1:31: beside an accession number stand",
        ),
        ("join: {accession: A, date: D}\nlabels: {grade: G}\n", "stand only eye, issuer or issued_by"),
        ("join: {accession: A, date_format: YYYYMMDD}\nlabels: {grade: G}\n", "stand only eye, issuer or issued_by"),
        ("join: {accession: A, issuer: I, issued_by: H}\nlabels: {grade: G}\n", "say one of them"),
        ("join: {accession: A}\neyes: {R: re}\nlabels: {grade: G}\n", "labels.yaml:2:11: join names no column of eyes"),
        (
            "join: {accession: A}\nlabels: {grade: a}\n",
            "labels.yaml:2:17: labels.grade is a column that says the image",
        ),
        ("join: {accession: A, eye: S}\nlabels: {grade: s}\n", "labels.grade is a column that says the image"),
        (
            "join: {instanse: UID}\nlabels: {grade: G}\n",
            "labels.yaml:1:8: there is no key of join called 'instanse'. Did",
        ),
        (
            "join: {instance: UID}\nlabel: {grade: G}\n",
            "labels.yaml:2:1: there is no part of a map called 'label'. Did",
        ),
        ("join: {instance: UID, eye: Side}\nlabels: {grade: G}\n", "labels.yaml:1:28: instance says which image"),
        ("join: {patient: MRN, eye: Side}\nlabels: {grade: G}\n", "labels.yaml:1:7: join names the column"),
        (f"{EYE}labels: {{grade: mrn}}\n", "labels.yaml:2:17: labels.grade is a column that says the image"),
        (f"{EYE}eyes: {{R: re, L: RE}}\nlabels: {{grade: G}}\n", "labels.yaml:2:18: the same word for two eyes"),
        (f"{EYE}eyes: {{right: re}}\nlabels: {{grade: G}}\n", "no key of eyes called 'right'"),
        ("join: {instance: U}\neyes: {R: re}\nlabels: {grade: G}\n", "labels.yaml:2:11: instance says which image"),
        (f"{EYE.replace('}', ', date_format: D.M.Y}')}labels: {{grade: G}}\n", "no form of dates called 'D.M.Y'"),
        (f"{EYE.replace('}', ', issuer: I, issued_by: H}')}labels: {{grade: G}}\n", "say one of them"),
        ("join: {instance: UID}\nlabels: {grade: G, grade: H}\n", "given twice"),
    ],
)
def test_a_map_is_refused_with_its_places(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_label_map(write(tmp_path, text))
    assert said in caught.value.message
    assert "in the map of labels:" in caught.value.message
    assert "docs/tutorial.md" in caught.value.remedy


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 mistakes"):
        read_label_map(write(tmp_path, "joint: {a: b}\nlabels: {Grade: G}\n"))


@pytest.mark.parametrize("name", ["table.csv", "table.yaml"])
def test_a_table_that_is_handed_over_as_its_map_is_not_quoted(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_label_map(write(tmp_path, "MRN,grade\n4711 Doe,drusen\n", name))
    assert "4711" not in f"{caught.value.message} {caught.value.remedy}"
    assert "MRN" not in f"{caught.value.message} {caught.value.remedy}"


def test_a_map_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"map of labels gone.yaml cannot be read"):
        read_label_map(tmp_path / "gone.yaml")


def test_a_map_holds_what_is_said(tmp_path: Path) -> None:
    text = (
        "join: {patient: MRN, date: Visit, eye: Side, date_format: DD.MM.YYYY}\neyes: {R: RA}\nlabels: {grade: G 1}\n"
    )
    said = read_label_map(write(tmp_path, text))
    join = {"patient": "MRN", "date": "Visit", "eye": "Side", "date_format": "DD.MM.YYYY"}
    assert said == LabelMap(join, {"R": "RA"}, {"grade": "G 1"})
    assert said.date_form == "%d.%m.%Y"
    assert read_label_map(write(tmp_path, "join: {instance: U}\nlabels: {g: G}\n")).date_form == "%Y-%m-%d"


def test_an_accession_number_may_have_an_eye_and_an_issuer_beside_it(tmp_path: Path) -> None:
    text = "join: {accession: Order, issued_by: RIS, eye: Side}\neyes: {R: RA}\nlabels: {grade: G}\n"
    join = {"accession": "Order", "issued_by": "RIS", "eye": "Side"}
    assert read_label_map(write(tmp_path, text)) == LabelMap(join, {"R": "RA"}, {"grade": "G"})
    assert read_label_map(write(tmp_path, "join: {accession: A}\nlabels: {g: G}\n")).join == {"accession": "A"}
