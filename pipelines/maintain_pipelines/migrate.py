"""A workspace of an earlier schema is brought to this program's: all of it, or nothing.

The database is backed up beside itself first; then tables, checks and the ledger's entry share one
transaction, so that a kill at any moment leaves the old database as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from maintain import __version__
from maintain.clock import Clock
from maintain.database import UnitOfWork
from maintain.database.backup import back_up
from maintain.database.engine import SCHEMA_HEAD, open_any_schema, other_schema, schema_of
from maintain.database.migrate import differences, revisions, upgrade
from maintain.errors import DamagedError, NothingToDoError
from maintain.hashing import digest_file
from maintain.settings import Workspace
from maintain_registry import Event, EventKind, Ledger, verify_chain


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which schema to which, the backup of what was before, and the ledger's entry."""

    before: str
    after: str
    backup: Path
    entry: int


def migrate_workspace(workspace: Workspace, ledger: Ledger, clock: Clock) -> Migrated:
    """Back the database up and migrate it.

    Raises:
        NothingToDoError: It has this program's schema already.
        WorkspaceError: It is newer than this program, or none of ours.
        BrokenChainError: The ledger is not whole; what is in doubt is not made anew.
        DamagedError: The migration did not lead to the tables that this program needs.
    """
    database = open_any_schema(workspace.database, foreign_keys=False)
    copy: Path | None = None
    try:
        with database.read() as unit:
            _require_older(unit)
        with ledger.begin(database) as unit:
            before = _require_older(unit)
            place = _backup_place(workspace.database, before, clock.now())
            back_up(workspace.database, place)
            copy = place
            entry = _migrate(unit, workspace, ledger, before, copy)
            done, copy = Migrated(before, SCHEMA_HEAD, copy, entry), None
    finally:
        database.close()
        if copy is not None:
            copy.unlink(missing_ok=True)
    return done


# --- private ---------------------------------------------------------------------------------------


def _require_older(unit: UnitOfWork) -> str:
    found = schema_of(unit)
    if found == SCHEMA_HEAD:
        raise NothingToDoError(
            f"The workspace has schema {SCHEMA_HEAD} already; there is nothing to migrate.",
            remedy="Go on as before; `maintain doctor` says how the rest is.",
        )
    if found is None or found not in revisions():
        raise other_schema(found)
    return found


def _backup_place(database: Path, schema: str, now: datetime) -> Path:
    """A name that nothing has: a migration that was killed has left its own."""
    stem = f"{database.name}.{schema}.{now:%Y%m%dT%H%M%SZ}"
    places = (database.with_name(f"{stem}{f'-{number}' if number > 1 else ''}.bak") for number in count(1))
    return next(place for place in places if not place.exists())


def _migrate(unit: UnitOfWork, workspace: Workspace, ledger: Ledger, before: str, copy: Path) -> int:
    upgrade(unit.connection)
    if schema_of(unit) != SCHEMA_HEAD or differences(unit):
        raise DamagedError(
            f"The migration from {before} did not lead to schema {SCHEMA_HEAD}; nothing was changed.",
            remedy="Keep working with the version that made the workspace, and report this.",
        )
    body = {"before": before, "after": SCHEMA_HEAD, "backup": digest_file(copy), "code": __version__}
    entry = ledger.append(unit, Event(EventKind.WORKSPACE_MIGRATED, subject="workspace", body=body))
    verify_chain(unit, heads=workspace.ledger_heads, public_keys=(ledger.signer.public,))
    return entry.number
