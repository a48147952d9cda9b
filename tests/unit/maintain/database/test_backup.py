"""A backup is whole, private, and never in the place of another file."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from maintain.database import create_database
from maintain.database.backup import back_up
from maintain.database.tables import source
from maintain.errors import DamagedError, WorkspaceError


def test_nothing_is_written_over(tmp_path: Path) -> None:
    create_database(tmp_path / "a.db").close()
    (tmp_path / "a.bak").write_text("mine")
    with pytest.raises(WorkspaceError, match="No backup"):
        back_up(tmp_path / "a.db", tmp_path / "a.bak")
    assert (tmp_path / "a.bak").read_text() == "mine"
    assert not list(tmp_path.glob("*.partial"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    create_database(tmp_path / "a.db").close()
    with pytest.raises(WorkspaceError, match="No such file"):
        back_up(tmp_path / "a.db", tmp_path / "nowhere" / "a.bak")


def test_a_damaged_database_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database, although it is long enough to look like one" * 99)
    with pytest.raises(DamagedError, match="damaged"):
        back_up(tmp_path / "a.db", tmp_path / "a.bak")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_what_is_committed_is_copied_while_somebody_writes(tmp_path: Path) -> None:
    database = create_database(tmp_path / "a ?#.db")
    with database.begin() as unit:
        unit.execute(insert(source), {"kind": "dicom", "root": "kept"})
    with database.begin() as unit:
        unit.execute(insert(source), {"kind": "dicom", "root": "not yet"})
        back_up(tmp_path / "a ?#.db", tmp_path / "a.bak")
    database.close()
    assert stat.S_IMODE((tmp_path / "a.bak").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "a.bak")) as copy:
        assert copy.execute("select root from source").fetchall() == [("kept",)]
