"""Scores of cases: figures computed of pixels, kept under a name with how they were computed.

A name is replaced as a whole, so that figures of two methods, or of two states of the cohort, never
stand beside each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from maintain.clock import timestamp
from maintain.cohort.facts import ScoreState
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.hashing import Digest, digest_json
from maintain.predicate import field_named


def replace_scores(
    unit: UnitOfWork, name: str, values: Mapping[str, float], *, method: str, version: int, now: datetime
) -> None:
    """Keep a score of these cases and forget the one that was called so.

    Raises `InputError` for a name that no policy could ask for, and for a value that is not finite.
    """
    if field_named(f"score.{name}") is None:
        raise InputError(
            f"A score cannot be called {name!r}.",
            remedy="Use letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    if not all(math.isfinite(value) for value in values.values()):
        raise InputError(
            f"The score {name} is not finite for some case; nothing was kept.",
            remedy="Look at the images with `maintain cohort score --kind quality` first.",
        )
    table = tables.score
    unit.execute(delete(table).where(table.c.name == name))
    how = {"name": name, "method": method, "version": version, "computed": timestamp(now)}
    rows = [{"case_id": case, "value": value, **how} for case, value in sorted(values.items())]
    unit.execute_many(insert(table), rows)


def read_scores(unit: UnitOfWork, name: str) -> Mapping[str, float]:
    """The values of a score by case; empty where nobody computed it."""
    table = tables.score
    rows = unit.rows(select(table.c.case_id, table.c.value).where(table.c.name == name).order_by(table.c.case_id))
    return {row.case_id: row.value for row in rows}


def scores_digest(values: Mapping[str, float]) -> Digest:
    """What the ledger holds of a score: SHA-256 over its (case, value) pairs, sorted by case."""
    return digest_json([[case, value] for case, value in sorted(values.items())])


def score_states(unit: UnitOfWork) -> tuple[ScoreState, ...]:
    """Every score there is, by name: how it was computed, when, and of how many cases."""
    table = tables.score
    how = (table.c.name, table.c.method, table.c.version, table.c.computed)
    rows = unit.rows(select(*how, func.count().label("cases")).group_by(*how).order_by(table.c.name))
    return tuple(ScoreState(row.name, row.method, row.version, row.computed, row.cases) for row in rows)
