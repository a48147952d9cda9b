"""How a check looks into the database: for itself, and without mending anything on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from maintain.database import UnitOfWork, open_database
from maintain.settings import Workspace


@contextmanager
def reading(workspace: Workspace) -> Iterator[UnitOfWork]:
    """One reading unit of work. Raises what `open_database` raises."""
    database = open_database(workspace.database)
    try:
        with database.read() as unit:
            yield unit
    finally:
        database.close()
