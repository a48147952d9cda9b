"""Walking a folder: what it refuses, what it finds whatever it is called, and that it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.dicom_files import write_dicom
from maintain.errors import InputError
from maintain.intake.identity import Pseudonyms
from maintain.intake.reading import RejectionReason
from maintain.intake.walk import find_files

PSEUDONYMS = Pseudonyms(bytes(range(32)))


def test_a_missing_folder_is_refused_without_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder") as caught:
        find_files(tmp_path / "DOE^JANE", PSEUDONYMS)
    assert "DOE" not in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        find_files(write_dicom(tmp_path / "a.dcm"), PSEUDONYMS)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with pytest.raises(InputError, match="holds no file"):
        find_files(tmp_path, PSEUDONYMS)


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(b"not really")
    with pytest.raises(InputError, match="None of the 1 files"):
        find_files(tmp_path, PSEUDONYMS)


def test_names_decide_nothing_and_the_order_is_sorted(tmp_path: Path) -> None:
    write_dicom(tmp_path / "b" / "IM0001")
    write_dicom(tmp_path / "a" / "z.txt")
    (tmp_path / "notes.dcm").write_text("hello")
    found = find_files(tmp_path, PSEUDONYMS)
    places = ["a/z.txt", "b/IM0001", "notes.dcm"]
    assert [file.location for file in found] == [tmp_path / place for place in places]
    assert [file.path for file in found] == [PSEUDONYMS.file(place) for place in places]
    assert [file.refused for file in found] == [None, None, RejectionReason.NOT_DICOM]
    assert found[2].size == 5


def test_links_are_followed_once(tmp_path: Path) -> None:
    write_dicom(tmp_path / "real" / "a")
    (tmp_path / "real" / "back").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real")
    found = find_files(tmp_path, PSEUDONYMS)
    assert len([file for file in found if file.refused is None]) == 1


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = {file.location.name: file.refused for file in find_files(tmp_path, PSEUDONYMS)}
    assert found == {"a": None, "dangling": RejectionReason.UNREADABLE, "pipe": RejectionReason.UNREADABLE}


def test_names_that_are_not_text_have_their_own_places(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a")
    for name in (b"bad\xff", b"bad\xfe"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    assert len({file.path for file in find_files(tmp_path, PSEUDONYMS)}) == 3


def test_no_name_leaves_the_room(tmp_path: Path) -> None:
    write_dicom(tmp_path / "DOE^JANE" / "19470315.dcm")
    (found,) = find_files(tmp_path, PSEUDONYMS)
    assert "DOE" not in repr(found)
    assert "1947" not in repr(found)
