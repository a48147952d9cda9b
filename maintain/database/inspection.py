"""Whether the embedded database is sound, asked of SQLite itself.

What it answers names tables and indexes, never values, so it may be shown.
"""

from __future__ import annotations

from sqlalchemy import text

from maintain.database.tables import LEDGER_TRIGGERS
from maintain.database.unit import UnitOfWork

#: Faults that are listed; a damaged database has either few or thousands.
LISTED = 5


def faults(unit: UnitOfWork) -> tuple[str, ...]:
    """What SQLite's integrity check says is wrong with the file; nothing when it is sound."""
    said = [str(row[0]) for row in unit.rows(text(f"PRAGMA integrity_check({LISTED})"))]
    return () if said == ["ok"] else tuple(said)


def broken_references(unit: UnitOfWork) -> tuple[str, ...]:
    """The tables with rows that point at rows which are not there."""
    return tuple(sorted({str(row[0]) for row in unit.rows(text("PRAGMA foreign_key_check"))}))


def missing_triggers(unit: UnitOfWork) -> tuple[str, ...]:
    """The triggers that keep the ledger append-only and are not there."""
    found = {str(row[0]) for row in unit.rows(text("select name from sqlite_master where type = 'trigger'"))}
    return tuple(name for name in LEDGER_TRIGGERS if name not in found)
