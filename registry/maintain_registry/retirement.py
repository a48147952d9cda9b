"""Which versions were withdrawn, and which weights were destroyed: what the ledger says.

A retired version keeps its record, its manifest and its entries for ever. Whoever loads a version asks here first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import RefusedError, RetiredError
from maintain.hashing import Digest, short
from maintain_registry.events import EventKind
from maintain_registry.ledger import stored_body

#: Facts of which a version never comes back.
RETIRING = (EventKind.VERSION_RETIRED, EventKind.DESTRUCTION_ORDERED, EventKind.WEIGHTS_DESTROYED)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The entries by which a version was withdrawn, its destruction ordered, and its weights proven gone."""

    model: str
    version: int
    retired: int
    ordered: int | None = None
    destroyed: int | None = None

    @property
    def unfinished(self) -> bool:
        """Whether its weights shall be destroyed and nobody has shown that they are."""
        return self.ordered is not None and (self.destroyed is None or self.destroyed < self.ordered)


def retirements(unit: UnitOfWork, model: str) -> Mapping[int, Retirement]:
    """The retired versions of a model by number."""
    found: dict[int, Retirement] = {}
    for number, kind, subject, body in _entries(unit):
        version = body.get("version")
        if subject != model or not isinstance(version, int):
            continue
        if kind is EventKind.VERSION_RETIRED:
            found.setdefault(version, Retirement(model, version, number))
        elif version in found:
            ordered = kind is EventKind.DESTRUCTION_ORDERED
            present = found[version]
            found[version] = replace(present, ordered=number) if ordered else replace(present, destroyed=number)
    return found


def require_not_retired(unit: UnitOfWork, model: str, number: int) -> None:
    """Raise `RetiredError` for a version that was withdrawn."""
    found = retirements(unit, model).get(number)
    if found is not None:
        raise RetiredError(model, number, entry=found.retired)


def doomed_weights(unit: UnitOfWork) -> Mapping[Digest, int]:
    """Weights whose destruction was ordered, each with the entry that says so; they may never lie anywhere again."""
    return {
        str(body["weights"]): number
        for number, kind, _, body in _entries(unit)
        if kind is EventKind.DESTRUCTION_ORDERED and "weights" in body
    }


def refuse_doomed(unit: UnitOfWork, weights: Digest) -> None:
    """Raise `RefusedError` for weights that were destroyed: a version never brings them back."""
    entry = doomed_weights(unit).get(weights)
    if entry is not None:
        raise RefusedError(
            f"The weights {short(weights)} were destroyed for good (ledger entry {entry}), and came out again.",
            remedy="Train on other cases or with another seed; what was destroyed is never registered again.",
        )


# --- private ---------------------------------------------------------------------------------------


def _entries(unit: UnitOfWork) -> Iterator[tuple[int, EventKind, str, dict[str, object]]]:
    columns = t.ledger.c
    query = select(columns.number, columns.event, columns.subject, columns.body)
    wanted = columns.event.in_([kind.value for kind in RETIRING])
    for row in unit.rows(query.where(wanted).order_by(columns.number)):
        yield row.number, EventKind(row.event), row.subject, stored_body(row.body)
