"""The three aliases of a model as one value, and the moves of them that a killed process left half done.

A move is decided in the transaction of its ledger entry and only then shown to the store, one
compare-and-swap an alias; the row in between lets whoever comes next finish it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from maintain.database import Database, UnitOfWork
from maintain.database import tables as t
from maintain.errors import RefusedError, UnknownNameError
from maintain.vocabulary import Alias
from maintain_registry.events import EventKind
from maintain_registry.holdings import Tagging
from maintain_registry.ledger import stored_body
from maintain_registry.port import ModelStore, alias_moved


@dataclass(frozen=True, slots=True)
class Aliases:
    """Which version each alias of a model points at; None where it points at none."""

    champion: int | None = None
    candidate: int | None = None
    previous: int | None = None

    def at(self, alias: Alias) -> int | None:
        """The version an alias points at."""
        found: int | None = getattr(self, alias.value)
        return found

    def document(self) -> dict[str, int | None]:
        """The aliases by name, as rows and entries hold them."""
        return {alias.value: self.at(alias) for alias in Alias}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Aliases:
        """The aliases out of a row or an entry."""
        return cls(**{alias.value: document.get(alias.value) for alias in Alias})


def aliases_of(store: ModelStore, model: str) -> Aliases:
    """The aliases of a model as they stand in a store."""
    return Aliases(**{alias.value: store.alias(model, alias) for alias in Alias})


def record_move(unit: UnitOfWork, model: str, entry: int, *, before: Aliases, after: Aliases) -> None:
    """Write down that an entry of the ledger moves these aliases; `finish_moves` then shows it to the store."""
    row = {"entry": entry, "model": model, "state": RECORDED}
    unit.execute(insert(t.alias_move), {**row, "before": before.document(), "after": after.document()})


def finish_moves(database: Database, store: ModelStore, model: str | None = None) -> tuple[str, ...]:
    """Show the store every move that is recorded and not done, and say so, one sentence each.

    An alias that somebody moved by hand in between is left alone; `doctor` then tells that it disagrees.
    """
    with database.read() as unit:
        rows = [row for row in unit.rows(_recorded()) if model in (None, row.model)]
    return tuple(_finish(database, store, row) for row in rows)


def unfinished_moves(unit: UnitOfWork, model: str) -> tuple[int, ...]:
    """The ledger entries of a model whose aliases a store has not been shown yet."""
    return tuple(row.entry for row in unit.rows(_recorded()) if row.model == model)


# --- private ---------------------------------------------------------------------------------------

RECORDED, DONE = "recorded", "done"

#: What serves is shown first: killed after it, the decision that matters stands already.
_ORDER = (Alias.CHAMPION, Alias.PREVIOUS, Alias.CANDIDATE)


def _recorded() -> Select[Any]:
    return select(t.alias_move).where(t.alias_move.c.state == RECORDED).order_by(t.alias_move.c.entry)


def _finish(database: Database, store: ModelStore, row: Row[Any]) -> str:
    before, after = Aliases.of(row.before), Aliases.of(row.after)
    said = f"{row.model}: its aliases stand as ledger entry {row.entry} decided."
    for alias in _ORDER:
        try:
            _show(store, row.model, alias, before.at(alias), after.at(alias))
        except RefusedError:
            said = f"{row.model}: its alias {alias} was moved by hand after ledger entry {row.entry}."
        except UnknownNameError:
            said = (
                f"{row.model}: version {after.at(alias)}, its {alias} by ledger entry {row.entry}, was removed by hand."
            )
    _show_promotion(database, store, row)
    with database.begin() as unit:
        unit.execute(update(t.alias_move).where(t.alias_move.c.entry == row.entry).values(state=DONE))
    return said


def _show_promotion(database: Database, store: ModelStore, row: Row[Any]) -> None:
    """Tag what was promoted with its entry, after the aliases and before the row is done: a kill repeats it."""
    if not isinstance(store, Tagging):
        return
    with database.read() as unit:
        entry = unit.row(select(t.ledger.c.event, t.ledger.c.body).where(t.ledger.c.number == row.entry))
    if entry is not None and entry.event == EventKind.VERSION_PROMOTED:
        version = stored_body(entry.body).get("version")
        if isinstance(version, int):
            store.show_promotion(row.model, version, row.entry)


def _show(store: ModelStore, model: str, alias: Alias, before: int | None, after: int | None) -> None:
    """Bring one alias from where it stood to where it was decided; there already is fine."""
    present = store.alias(model, alias)
    if present == after:
        return
    if present != before:
        raise alias_moved(model, alias, found=present, expected=before)
    if after is None:
        store.clear_alias(model, alias, expected=before)
    else:
        store.set_alias(model, alias, after, expected=before)
