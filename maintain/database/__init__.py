"""The embedded database: engine, tables of every room, unit of work, migrations.

SQL lives here and in the `store`, `selection`, `ledger`, `intents` and `journal` modules of the
rooms that own the rows; those receive an open `UnitOfWork` and never open one themselves.
"""

from __future__ import annotations

from maintain.database.engine import Database, create_database, open_database
from maintain.database.unit import UnitOfWork

__all__ = ["Database", "UnitOfWork", "create_database", "open_database"]
