"""The tables of MLflow are there whole or not at all, and nobody else's database is written less safely for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import WorkspaceError
from maintain_registry.mlflow_store import prepare_registry, tables
from maintain_registry.mlflow_store.connection import DATABASE_FILE

#: SQLite's word for a database that waits for the disk.
FULL = 2


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        prepare_registry(tmp_path / "file" / "registry")


def test_a_failure_before_the_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(address: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "_migrate", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        prepare_registry(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_another_made_meanwhile_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(address: str) -> None:
        Path(address.removeprefix("sqlite:///")).write_bytes(b"mine")
        (tmp_path / DATABASE_FILE).write_bytes(b"another's")

    monkeypatch.setattr(tables, "_migrate", slow)
    prepare_registry(tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"another's"]


def test_they_are_whole_made_once_and_no_other_database_is_written_less_safely(tmp_path: Path) -> None:
    from sqlalchemy import create_engine, text

    prepare_registry(tmp_path)
    made = (tmp_path / DATABASE_FILE).stat()
    prepare_registry(tmp_path)
    assert (tmp_path / DATABASE_FILE).stat().st_ino == made.st_ino
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE_FILE]
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE_FILE}")
    with engine.connect() as connection:
        assert connection.execute(text("pragma integrity_check")).scalar() == "ok"
        assert connection.execute(text("pragma synchronous")).scalar() == FULL
        assert connection.execute(text("select count(*) from alembic_version")).scalar() == 1
        assert connection.execute(text("select count(*) from registered_models")).scalar() == 0
    engine.dispose()
