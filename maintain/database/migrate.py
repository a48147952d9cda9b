"""Migrations: Alembic from the first table on, run from inside the program.

There is no `alembic.ini` to lose: the scripts travel in the package, and every workspace, new or
old, reaches its schema by the same steps.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from maintain.database.inspection import broken_references, missing_triggers
from maintain.database.tables import metadata
from maintain.database.unit import UnitOfWork

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, *, revision: str = "head") -> None:
    """Bring the database behind this connection to a revision.

    In the transaction of the connection, where one is open: then all of it happens, or nothing.
    """
    config = _configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> tuple[str, ...]:
    """Every schema that this program knows, oldest first."""
    steps = ScriptDirectory.from_config(_configuration()).walk_revisions()
    return tuple(reversed([step.revision for step in steps]))


def differences(unit: UnitOfWork) -> int:
    """In how many places the tables differ from what this program needs, broken references included."""
    found = compare_metadata(MigrationContext.configure(unit.connection), metadata)
    return len(found) + len(broken_references(unit)) + len(missing_triggers(unit))


# --- private ---------------------------------------------------------------------------------------


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
