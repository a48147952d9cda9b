"""Tables: refused with their lines, never with their cells; read the way hospitals write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.intake.identity import Pseudonyms
from maintain.intake.sheets import describe_lines
from maintain.intake.tables import ConsentRow, LabelRow, read_consents, read_labels
from maintain.vocabulary import ConsentStatus

PSEUDONYMS = Pseudonyms(bytes(range(32)))


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def case_id(uid: str) -> str:
    return PSEUDONYMS.uid("instance", uid)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 holds no column names"),
        (",,\n", "line 1 holds no column names"),
        ("image,grade\n1,2\n", "line 1 has no column SOPInstanceUID; it has image, grade"),
        ("SOPInstanceUID\n1.2\n", "no column beside SOPInstanceUID"),
        ("SOPInstanceUID,grade,Grade\n1.2,a,b\n", "Grade, grade more than once"),
        ("SOPInstanceUID,PatientName\n1.2,Doe\n", "patientname identifies"),
        ("SOPInstanceUID,Patient ID\n1.2,Doe\n", "patient id identifies"),
        ("SOPInstanceUID,retinopathy grade\n1.2,a\n", "column 2 has a name that no policy could write"),
        ("SOPInstanceUID,grade\n1.2\n1.3,b\n1.4\n", "lines 2 and 4: fewer cells than column names"),
        ("SOPInstanceUID,grade\n1.2,a,b\n", "line 2: cells without a column name"),
        ("SOPInstanceUID,,grade\n1.2,x,b\n", "line 2: cells without a column name"),
        ("SOPInstanceUID,grade\n,a\n", "line 2: no SOPInstanceUID"),
        ("SOPInstanceUID,grade\n1.2,a\n1.3,b\n1.2,c\n1.3,b\n", "lines 2 and 4: the same image with different labels"),
        (f"SOPInstanceUID,grade\n1.2,{'x' * 65}\n", "line 2: a label of more than 64 characters"),
        ('SOPInstanceUID,grade\n1.2,"a\n', "line 2 is not delimited text"),
        ("SOPInstanceUID,grade\n1.2,a\0\n", "is not text"),
        ("SOPInstanceUID,grade\n1.2,\xe9\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_labels_are_refused_with_their_place(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_labels(write(tmp_path, text), PSEUDONYMS)
    assert said in caught.value.message
    assert caught.value.message.startswith("table.csv")
    assert "Doe" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PatientID,when\nP1,x\n", "no column status; it has PatientID, when"),
        ("PatientID,status\nP1,revoked\nP2,given\n", "line 2: the status is none of given, withdrawn"),
        ("PatientID,status\nP1,unknown\n", "line 2: the status"),
        ("PatientID,status,date\nP1,given,31.03.2026\n", "line 2: the date"),
        ("PatientID,status,date\nP1,given,20260331\n", "line 2: the date"),
        ("PatientID,status\nANONYMOUS,withdrawn\n", "line 2: the PatientID names nobody"),
        ("PatientID,status\n,withdrawn\n", "line 2: the PatientID names nobody"),
        ("PatientID,status\nP1,given\nP1,withdrawn\n", "lines 2 and 3: the same patient with different entries"),
    ],
)
def test_consents_are_refused_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_consents(write(tmp_path, text), PSEUDONYMS)
    assert said in caught.value.message
    for cell in ("P1", "revoked", "31.03"):
        assert cell not in caught.value.message


def test_a_file_without_header_does_not_print_its_first_row(tmp_path: Path) -> None:
    for row in ("1.2.826.0.1.77,drusen", "SYN-000123,withdrawn", "MRN1234567,given"):
        for reader in (read_labels, read_consents):
            with pytest.raises(InputError) as caught:
                reader(write(tmp_path, row + "\n"), PSEUDONYMS)
            assert row.split(",")[0] not in caught.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read"):
        read_labels(tmp_path / "gone.csv", PSEUDONYMS)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_dialects(tmp_path: Path, mark: str, delimiter: str, end: str) -> None:
    rows = [" sopinstanceuid ", "Diagnosis", "image-quality"], ["1.2", " drusen ", ""], ["1.3", '"a, b"', "good"]
    text = mark + end.join(delimiter.join(row) for row in rows) + end + end
    table = read_labels(write(tmp_path, text), PSEUDONYMS)
    assert table.names == ("diagnosis", "image-quality")
    assert table.rows == (
        LabelRow(case_id("1.2"), "diagnosis", "drusen"),
        LabelRow(case_id("1.3"), "diagnosis", "a, b"),
        LabelRow(case_id("1.3"), "image-quality", "good"),
    )


def test_trailing_empty_columns_are_forgiven(tmp_path: Path) -> None:
    table = read_labels(write(tmp_path, "SOPInstanceUID,grade,,\n1.2,a,,\n"), PSEUDONYMS)
    assert table.rows == (LabelRow(case_id("1.2"), "grade", "a"),)


def test_rows_that_agree_are_one(tmp_path: Path) -> None:
    table = read_labels(write(tmp_path, "SOPInstanceUID,a,b\n1.2,x,\n1.2,x,y\n"), PSEUDONYMS)
    assert table.rows == (LabelRow(case_id("1.2"), "a", "x"), LabelRow(case_id("1.2"), "b", "y"))


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = 'SOPInstanceUID,grade\n1.2,"two\nlines"\n\n,a\n'
    with pytest.raises(InputError, match="line 5: no SOPInstanceUID"):
        read_labels(write(tmp_path, text), PSEUDONYMS)


def test_consents(tmp_path: Path) -> None:
    text = "PatientID;IssuerOfPatientID;Status;date\nP1;CLINIC;WITHDRAWN;2026-02-02\nP2;;given;\n"
    assert read_consents(write(tmp_path, text), PSEUDONYMS).rows == (
        ConsentRow(PSEUDONYMS.patient("P1", "CLINIC") or "", ConsentStatus.WITHDRAWN, "2026-02-02"),
        ConsentRow(PSEUDONYMS.patient("P2", None) or "", ConsentStatus.GIVEN, None),
    )


def test_consents_without_optional_columns(tmp_path: Path) -> None:
    rows = read_consents(write(tmp_path, "status,patientid\ngiven,P1\n"), PSEUDONYMS).rows
    assert rows == (ConsentRow(PSEUDONYMS.patient("P1", "") or "", ConsentStatus.GIVEN, None),)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([4], "line 4"),
        ([9, 4, 9], "lines 4 and 9"),
        ([1, 2, 3], "lines 1, 2 and 3"),
        (range(1, 14), "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more"),
    ],
)
def test_lines_are_listed(lines: list[int], said: str) -> None:
    assert describe_lines(lines) == said
