"""The database opens only when it is ours, and keeps all or nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, select, text

from maintain.database import create_database, open_database
from maintain.database.engine import SCHEMA_HEAD
from maintain.database.tables import metadata, source
from maintain.errors import DamagedError, WaitingError, WorkspaceError

ROW = {"kind": "dicom", "root": "somewhere"}


def test_a_missing_database_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no database"):
        open_database(tmp_path / "maintain.db")
    assert list(tmp_path.iterdir()) == []


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "maintain.db"
    create_database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    raw.close()
    with pytest.raises(WorkspaceError, match="has schema 9999"):
        open_database(path)


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "maintain.db")
    raw.execute("create table t (x)")
    raw.close()
    with pytest.raises(WorkspaceError, match="has schema none"):
        open_database(tmp_path / "maintain.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "maintain.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(DamagedError, match="damaged"):
        open_database(tmp_path / "maintain.db")


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    database = create_database(tmp_path / "maintain.db")
    with pytest.raises(RuntimeError), database.begin() as unit:  # noqa: PT012  # both lines belong to the block
        unit.execute(insert(source), ROW)
        raise RuntimeError
    with database.read() as unit:
        assert unit.rows(select(source)) == []
    database.close()


def test_what_is_committed_is_there_after_reopening(tmp_path: Path) -> None:
    database = create_database(tmp_path / "maintain.db")
    with database.begin() as unit:
        unit.execute(insert(source), ROW)
    database.close()
    database = open_database(tmp_path / "maintain.db")
    with database.read() as unit:
        assert [row.root for row in unit.rows(select(source))] == ["somewhere"]
    database.close()


def test_a_reading_unit_keeps_nothing(tmp_path: Path) -> None:
    database = create_database(tmp_path / "maintain.db")
    with database.read() as unit:
        unit.execute(insert(source), ROW)
    with database.read() as unit:
        assert unit.rows(select(source)) == []
    database.close()


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    database = create_database(tmp_path / "maintain.db")
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("select version_num from alembic_version")).scalar() == SCHEMA_HEAD
    database.close()


def test_values_do_not_reach_error_messages(tmp_path: Path) -> None:
    database = create_database(tmp_path / "maintain.db")
    row = {"kind": "dicom", "root": "CANARY^NAME"}
    with pytest.raises(Exception, match="UNIQUE") as caught, database.begin() as unit:
        unit.execute_many(insert(source), [row, row])
    assert "CANARY" not in str(caught.value)
    database.close()


def test_what_was_deleted_is_in_no_byte_once_the_file_was_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "maintain.db"
    database = create_database(path)
    with database.begin() as unit:
        unit.execute_many(insert(source), [{"kind": "dicom", "root": f"SECRET{number}"} for number in range(500)])
    with database.begin() as unit:
        unit.execute(delete(source).where(source.c.root != "SECRET7"))
    database.compact()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    database.close()
    assert b"SECRET7" in held
    assert b"SECRET8" not in held


def test_a_log_that_somebody_reads_cannot_be_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maintain.database.engine.BUSY_MILLISECONDS", 50)
    path = tmp_path / "maintain.db"
    database = create_database(path)
    with sqlite3.connect(path, isolation_level=None) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from source").fetchall()
        with pytest.raises(WaitingError, match="cannot be emptied"):
            database.compact()
        reader.execute("rollback")
    reader.close()
    database.compact()
    database.close()
