"""Migrations: Alembic from the first table on, run from inside the program.

There is no `alembic.ini` to lose: the scripts travel in the package, and every workspace, new or
old, reaches its schema by the same steps.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, *, revision: str = "head") -> None:
    """Bring the database behind this connection to a revision, in one transaction."""
    command.upgrade(configuration(connection), revision)


def configuration(connection: Connection) -> Config:
    """The Alembic configuration for this connection."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config
