"""Tables of labels with a map: refused with their lines, never with their cells; keyed as images are."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.intake import (
    AccessionColumns,
    EyeColumns,
    InstanceColumn,
    MappedRow,
    Pseudonyms,
    StudyKey,
    read_labels,
    read_mapped_labels,
)
from maintain.vocabulary import Eye

PSEUDONYMS = Pseudonyms(bytes(range(32)))
UID = InstanceColumn("Image UID")
EYE = EyeColumns("MRN", "Visit", "Side", "%d.%m.%Y", issued_by="CLINIC")
STUDY = AccessionColumns("Order")
STUDY_EYE = AccessionColumns("Order", eye="Side", issuer="By")
LABELS = {"grade": "Grade 1"}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


HEAD = "MRN,Visit,Side,Grade 1\n"


@pytest.mark.parametrize(
    ("text", "join", "said"),
    [
        ("uid,Grade 1\n1.2,a\n", UID, "line 1 has no column Image UID; it has uid, Grade 1"),
        ("Image UID,grade\n1.2,a\n", UID, "line 1 has no column Grade 1"),
        ("Image UID,Grade 1\n1.2,a\n,b\n", UID, "line 3: no SOP Instance UID"),
        ("Image UID,Grade 1\n1.2,a\n1.2,b\n", UID, "lines 2 and 3: the same image with different labels"),
        (f"Image UID,Grade 1\n1.2,{'x' * 65}\n", UID, "line 2: a label of more than 64 characters"),
        (f"{HEAD}ANONYMOUS,01.03.2024,R,a\n", EYE, "line 2: the patient names nobody"),
        (f"{HEAD}4711,2024-03-01,R,a\n", EYE, "line 2: the date is not one of the map's form"),
        (f"{HEAD}4711,1.3.2024,R,a\n", EYE, "line 2: the date"),
        (f"{HEAD}4711,30.02.2024,R,a\n", EYE, "line 2: the date"),
        (f"{HEAD}4711,01.03.2024,RA,a\n", EYE, "line 2: the eye is none of the map's words"),
        ("order no,Grade 1\n4711,a\n", STUDY, "line 1 has no column Order; it has order no, Grade 1"),
        ("Order,Grade 1\n4711,a\n,b\n0,c\n", STUDY, "lines 3 and 4: no accession number"),
        ("Order,Grade 1\n4711,a\n 4711,b\n", STUDY, "lines 2 and 3: the same image with different labels"),
        ("Order,Side,Grade 1\n4711,R,a\n", STUDY_EYE, "line 1 has no column By"),
        ("Order,By,Side,Grade 1\n4711,A,R,a\n4711,A,,a\n", STUDY_EYE, "line 3: the eye is none of the map's words"),
        (f"{HEAD}4711,01.03.2024,R,a\n4711,01.03.2024,od,b\n", EYE, "lines 2 and 3: the same image with different"),
    ],
)
def test_a_table_is_refused_with_its_place(
    tmp_path: Path, text: str, join: InstanceColumn | AccessionColumns | EyeColumns, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_mapped_labels(write(tmp_path, text), join, LABELS, PSEUDONYMS)
    assert said in caught.value.message
    for cell in ("4711", "2024", "RA", "xxx"):
        assert cell not in caught.value.message.removeprefix("table.csv")


@pytest.mark.parametrize("column", ["Patient Name", "MRN", "Accession", "Accession No", "Accession Number"])
def test_a_column_that_names_people_is_no_label(tmp_path: Path, column: str) -> None:
    with pytest.raises(InputError, match="identifies patients or files"):
        read_mapped_labels(write(tmp_path, f"Image UID,{column}\n1.2,Doe\n"), UID, {"grade": column}, PSEUDONYMS)


def test_a_row_is_keyed_as_its_image_is(tmp_path: Path) -> None:
    table = read_mapped_labels(write(tmp_path, "Image UID,x,Grade 1\n1.2,Doe,a\n1.3,Doe,\n"), UID, LABELS, PSEUDONYMS)
    keys = [PSEUDONYMS.uid("instance", uid) for uid in ("1.2", "1.3")]
    assert table.rows == (MappedRow(2, keys[0], {"grade": "a"}), MappedRow(3, keys[1], {}))


@pytest.mark.parametrize(
    ("join", "row"),
    [
        (EYE, "4711,01.03.2024,os,a"),
        (EyeColumns("MRN", "Visit", "Side", "%Y%m%d", issued_by="CLINIC", eyes={"LA": Eye.LEFT}), "4711,20240301,la,a"),
        (EyeColumns("MRN", "Visit", "Side", "%Y-%m-%d", issuer="By"), "4711,2024-03-01,LEFT,a,CLINIC"),
    ],
)
def test_an_eye_is_keyed_as_its_images_are(tmp_path: Path, join: EyeColumns, row: str) -> None:
    head = HEAD.replace("\n", ",By\n") if join.issuer else HEAD
    table = read_mapped_labels(write(tmp_path, f"{head}{row}\n"), join, LABELS, PSEUDONYMS)
    (only,) = table.rows
    assert only.key == (PSEUDONYMS.patient("4711", "CLINIC"), "2024-03-01", Eye.LEFT)


def test_a_study_is_keyed_as_its_images_are_and_by_eye_where_a_column_says_one(tmp_path: Path) -> None:
    only = read_mapped_labels(write(tmp_path, "Order,Grade 1\n 4711 ,a\n"), STUDY, LABELS, PSEUDONYMS)
    number = PSEUDONYMS.accession("4711", None)
    assert number is not None
    assert only.rows == (MappedRow(2, StudyKey(number, None), {"grade": "a"}),)
    text = "Order,By,Side,Grade 1\n4711,,re,a\n4711,RIS,LA,b\n"
    words = AccessionColumns("Order", "Side", "By", eyes={"RE": Eye.RIGHT, "la": Eye.LEFT})
    table = read_mapped_labels(write(tmp_path, text), words, LABELS, PSEUDONYMS)
    issued = PSEUDONYMS.accession("4711", "RIS")
    assert issued is not None
    assert [row.key for row in table.rows] == [StudyKey(number, Eye.RIGHT), StudyKey(issued, Eye.LEFT)]
    assert table.issuers == ()  # who issues accession numbers issues no patients' numbers
    for_all = AccessionColumns("Order", issued_by="RIS")
    (row,) = read_mapped_labels(write(tmp_path, "Order,Grade 1\n4711,a\n"), for_all, LABELS, PSEUDONYMS).rows
    assert row.key == StudyKey(issued, None)


def test_the_mark_is_of_what_the_table_holds_and_keyed(tmp_path: Path) -> None:
    text = "SOPInstanceUID,grade\n1.2,a\n"
    path = write(tmp_path, text)
    mark = read_labels(path, PSEUDONYMS).contents
    mapped = read_mapped_labels(path, InstanceColumn("SOPInstanceUID"), {"grade": "grade"}, PSEUDONYMS)
    assert mapped.contents == mark
    assert read_labels(path, Pseudonyms(bytes(32))).contents != mark
    assert read_labels(write(tmp_path, text.replace("a\n", "b\n")), PSEUDONYMS).contents != mark
