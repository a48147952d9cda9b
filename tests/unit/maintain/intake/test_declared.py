"""Members, outputs and files of arrays: refused with their lines, never with their cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.intake import Pseudonyms, read_files, read_members, read_outputs
from maintain.vocabulary import Split

PSEUDONYMS = Pseudonyms(bytes(range(32)))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def case_id(uid: str) -> str:
    return PSEUDONYMS.uid("instance", uid)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 holds no column names"),
        ("SOPInstanceUID,role\n", "no row"),
        ("SOPInstanceUID,split\n1.2,train\n", "no column role"),
        ("uid,role\n1.2,train\n", "no column SOPInstanceUID"),
        ("SOPInstanceUID,role\n1.2,train\n1.3,test\n1.4,\n", "lines 3 and 4: the role is none of"),
        ("SOPInstanceUID,role\n,train\n", "line 2: no SOPInstanceUID"),
        ("SOPInstanceUID,role\n1.2,train\n1.3,train\n1.2,holdout\n", "lines 2 and 4: the same case"),
        ("case,role\n1.2.3,train\n", "line 2: the column case holds something else"),
    ],
)
def test_members_are_refused_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_members(write(tmp_path, text), PSEUDONYMS)
    assert said in caught.value.message
    assert "1.2" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SOPInstanceUID,a\n1.2,1\n", "no column B"),
        ("SOPInstanceUID,a,B\n1.2,0.5,x\n", "line 2: a figure is no probability"),
        ("SOPInstanceUID,a,B\n1.2,0.5,\n1.3,nan,0.5\n1.4,1.5,-0.5\n", "lines 2, 3 and 4: a figure"),
        ("SOPInstanceUID,a,B\n1.2,0.5,0.4\n", "line 2: the probabilities do not sum to one"),
        ("SOPInstanceUID,a,B\n1.2,0.5,0.5\n1.2,0.4,0.6\n", "lines 2 and 3: the same case with different outputs"),
    ],
)
def test_outputs_are_refused_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_outputs(write(tmp_path, text), PSEUDONYMS, ("a", "B"))
    assert said in caught.value.message


def test_files_outside_their_folder_are_refused(tmp_path: Path) -> None:
    for name in ("../a.npy", "/etc/a.npy", "sub/a.npy", ""):
        with pytest.raises(InputError, match="in this folder"):
            read_files(write(tmp_path, f"SOPInstanceUID,file\n1.2,{name}\n"), PSEUDONYMS)


def test_identifiers_leave_keyed_and_columns_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    text = "when;ROLE;sopinstanceuid\n2026;Train;1.2\n2026;holdout;1.3\n2026;train;1.2\n"
    members = read_members(write(tmp_path, text), PSEUDONYMS)
    assert [(row.case_id, row.role) for row in members] == [
        (case_id("1.2"), Split.TRAIN),
        (case_id("1.3"), Split.HOLDOUT),
    ]
    (output,) = read_outputs(write(tmp_path, "B,SOPInstanceUID,A\n0.25,1.2,0.75\n"), PSEUDONYMS, ("a", "b"))
    assert (output.case_id, output.probabilities) == (case_id("1.2"), (0.75, 0.25))
    keyed = read_members(write(tmp_path, f"case,role\n{case_id('1.2')},validation\n"), PSEUDONYMS)
    assert keyed[0].case_id == case_id("1.2")
    (file,) = read_files(write(tmp_path, "SOPInstanceUID,file\n1.2,a.npy\n"), PSEUDONYMS)
    assert (file.case_id, file.file) == (case_id("1.2"), "a.npy")
