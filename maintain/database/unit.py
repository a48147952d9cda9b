"""The unit of work that every store receives.

A change and the record of it share one transaction: whoever opens the unit decides what belongs
together, and stores can neither commit nor open a second one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Row, func, select

#: Rows of one `executemany`; larger lists only cost memory.
BATCH_ROWS = 5_000

#: Julian day of 1970-01-01T00:00Z. https://www.sqlite.org/lang_datefunc.html
_JULIAN_1970 = 2_440_587.5

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One open transaction."""

    connection: Connection

    def execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> int:
        """Run one statement and return how many rows it touched."""
        return self.connection.execute(statement, values).rowcount

    def execute_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for many rows, in batches (never one statement with many VALUES)."""
        for start in range(0, len(rows), BATCH_ROWS):
            self.connection.execute(statement, rows[start : start + BATCH_ROWS])

    def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """Every row of a query."""
        return self.connection.execute(statement).all()

    def row(self, statement: Executable) -> Row[Any] | None:
        """The first row of a query, or None."""
        return self.connection.execute(statement).first()

    def scalar(self, statement: Executable) -> Any:
        """The first column of the first row, or None."""
        return self.connection.execute(statement).scalar()

    def seconds(self) -> float:
        """Seconds since 1970 by the database's own clock, which every process on it shares."""
        return float((self.scalar(select(func.julianday("now"))) - _JULIAN_1970) * _DAY_SECONDS)
