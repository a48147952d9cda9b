"""Moving the aliases of a model: the decision and its ledger entry are one transaction, the store follows.

Whoever may decide looks at what stands under the lock and inside that transaction; a refusal there leaves
nothing behind, and a kill after it leaves a row that the next command finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from maintain.database import Database, UnitOfWork
from maintain.errors import InputError, RefusedError
from maintain_registry.aliases import Aliases, aliases_of, finish_moves, record_move
from maintain_registry.events import Event, EventKind
from maintain_registry.intents import finish_recorded, registered
from maintain_registry.ledger import Entry, Ledger
from maintain_registry.lock import alone
from maintain_registry.port import ModelStore
from maintain_registry.retirement import require_not_retired
from maintain_registry.serving import MOVING


@dataclass(frozen=True, slots=True)
class Move:
    """A decision about the aliases of a model: what kind of fact it is, about which version, and the outcome."""

    kind: EventKind
    version: int
    after: Aliases
    body: Mapping[str, object] = field(default_factory=dict)

    def points_at(self) -> frozenset[int]:
        """The versions that have an alias afterwards."""
        return frozenset(number for number in self.after.document().values() if number is not None)


def move_aliases(
    database: Database,
    ledger: Ledger,
    store: ModelStore,
    model: str,
    decide: Callable[[UnitOfWork, Aliases], Move],
) -> tuple[Move, Entry]:
    """Decide and record one move, then show it to the store. Whatever `decide` raises changes nothing.

    Raises `RefusedError` when an alias would point at a version without a ledger entry.
    """
    with alone(database):
        finish_recorded(database, store, model)
        with ledger.begin(database) as unit:
            before = aliases_of(store, model)
            move = decide(unit, before)
            _check(unit, model, move)
            entry = ledger.append(unit, Event(move.kind, model, _body(move)))
            record_move(unit, model, entry.number, before=before, after=move.after)
        finish_moves(database, store, model)
    return move, entry


# --- private ---------------------------------------------------------------------------------------


def _check(unit: UnitOfWork, model: str, move: Move) -> None:
    if move.kind not in MOVING:
        raise InputError(f"{move.kind} does not move an alias.", remedy=f"Use one of: {', '.join(sorted(MOVING))}.")
    taken = sorted({"version", "aliases"} & set(move.body))
    if taken:
        raise InputError(
            f"The body of a move may not bring its own {', '.join(taken)}.",
            remedy="Leave these keys out; they are taken from the move.",
        )
    known = registered(unit, model)
    strange = sorted(move.points_at() - set(known))
    if strange:
        raise RefusedError(
            f"Version {strange[0]} of {model} is not registered, so no alias may point at it.",
            remedy="Say `maintain registry list` for the versions that are.",
        )
    for number in sorted(move.points_at()):
        require_not_retired(unit, model, number)


def _body(move: Move) -> dict[str, object]:
    return {**move.body, "version": move.version, "aliases": move.after.document()}
