"""Engine of the embedded database.

SQLite in WAL mode, every writing transaction taken at its start (BEGIN IMMEDIATE), parameters
hidden from error messages because they hold patients' pseudonyms. The schema version is checked
at every opening: a workspace of another version is refused, never half understood.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from maintain.database.unit import UnitOfWork
from maintain.errors import DamagedError, WaitingError, WorkspaceError

#: The migration that this version of the program was written for.
SCHEMA_HEAD = "0006"

#: How long a writer waits for another one before it gives up, in milliseconds.
BUSY_MILLISECONDS = 20_000


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. `begin` for writing, `read` for looking."""

    engine: Engine

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """A writing unit of work: commits at the end, rolls back on any exception."""
        with _translated(), self.engine.connect() as connection:
            connection.execute(text("BEGIN IMMEDIATE"))
            try:
                yield UnitOfWork(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """A reading unit of work: one consistent view, nothing is kept."""
        with _translated(), self.engine.connect() as connection:
            connection.execute(text("BEGIN"))
            try:
                yield UnitOfWork(connection)
            finally:
                connection.rollback()

    def compact(self) -> None:
        """Write the file anew without what was deleted, and empty its write-ahead log.

        Raises `WaitingError` while another process uses the database.
        """
        with _translated(), self.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise WaitingError(
                "Another process uses the workspace database, so its write-ahead log cannot be emptied.",
                remedy="Wait until it is done and say it again.",
            )

    def close(self) -> None:
        """Release every connection."""
        self.engine.dispose()


def create_database(path: Path) -> Database:
    """Make a new database by running every migration, as an old workspace would."""
    from maintain.database.migrate import upgrade

    database = Database(_engine(path))
    with _translated(), database.engine.connect() as connection:
        upgrade(connection)
    return database


def open_database(path: Path) -> Database:
    """Open an existing database. Raises `WorkspaceError` when it is absent or of another version."""
    database = open_any_schema(path, foreign_keys=True)
    try:
        with database.read() as unit:
            found = schema_of(unit)
        if found != SCHEMA_HEAD:
            raise other_schema(found)
    except BaseException:
        database.close()
        raise
    return database


def open_any_schema(path: Path, *, foreign_keys: bool) -> Database:
    """Open an existing database whatever its schema: to look at it, or to migrate it.

    A migration may have to make a table anew, which works only while foreign keys are not enforced.
    """
    if not path.is_file():
        raise WorkspaceError(
            f"The workspace has no database ({path.name}).",
            remedy="Restore it from a backup, or make a new workspace with `maintain init`.",
        )
    return Database(_engine(path, foreign_keys=foreign_keys))


def schema_of(unit: UnitOfWork) -> str | None:
    """The schema of this database, or None when it was not made by this program."""
    tables = text("select name from sqlite_master where name = 'alembic_version'")
    if unit.scalar(tables) is None:
        return None
    version: str | None = unit.scalar(text("select version_num from alembic_version"))
    return version


def other_schema(found: str | None) -> WorkspaceError:
    """The refusal of a schema that is not this program's: an older one can be migrated, no other."""
    from maintain.database.migrate import revisions

    if found in revisions():
        remedy = "Say `maintain doctor migrate`: it backs the database up beside itself and migrates it."
    elif found is None:
        remedy = "This is no database of `maintain`; restore the right file from a backup."
    else:
        remedy = "A newer version of `maintain` wrote it; install that version. Nothing was changed."
    return WorkspaceError(
        f"The workspace has schema {found or 'none'}; this program needs {SCHEMA_HEAD}.", remedy=remedy
    )


# --- private ---------------------------------------------------------------------------------------


def _engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)
    enforced = "ON" if foreign_keys else "OFF"

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_MILLISECONDS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            f"foreign_keys={enforced}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise _explained(error) from error
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and "malformed" in str(error.orig):
            raise _malformed() from error
        if isinstance(error.orig, sqlite3.DatabaseError) and "not a database" in str(error.orig):
            raise _malformed() from error
        raise


def _explained(error: OperationalError) -> Exception:
    said = str(error.orig)
    if "locked" in said or "busy" in said:
        return WaitingError(
            "Another process is writing to the workspace database.",
            remedy="Wait until it is done and say it again.",
        )
    if "readonly" in said or "unable to open" in said:
        return WorkspaceError(
            "The workspace database cannot be written.",
            remedy="Give this user the right to write the workspace folder and the files in it.",
        )
    if "full" in said:
        return WorkspaceError("The disk is full.", remedy="Free some space and say it again.")
    if "disk I/O" in said:
        return WorkspaceError(
            "The disk of the workspace database cannot be written or read.",
            remedy="Check the disk and its free space, and say it again.",
        )
    return error


def _malformed() -> DamagedError:
    return DamagedError("The workspace database is damaged.", remedy="Restore it from a backup; nothing was written.")
