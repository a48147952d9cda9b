"""Which version of a model serves, and which ones did: what the ledger says, whatever a store shows.

The aliases of a store can be moved by anybody who may write there; the entries cannot. Whoever decides
about serving reads this fold, and compares.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import DamagedError
from maintain_registry.aliases import Aliases
from maintain_registry.events import EventKind
from maintain_registry.ledger import stored_body

#: Facts that move an alias without bringing a version into being.
MOVING = frozenset(
    {EventKind.VERSION_PROMOTED, EventKind.VERSION_ROLLED_BACK, EventKind.MODEL_SUSPENDED, EventKind.VERSION_RETIRED}
)

#: Facts that may change which version an alias points at.
ALIASING = MOVING | {EventKind.MODEL_INSTALLED, EventKind.VERSION_REGISTERED}


@dataclass(frozen=True, slots=True)
class Serving:
    """What the ledger says of a model's serving.

    `head` serves, or served last where the model is suspended; `served` names every version that ever
    served, with the one that `previous` meant when it began. `last` and `entry`: the latest move that
    changed what serves, which a retirement never does.
    """

    aliases: Aliases = field(default_factory=Aliases)
    head: int | None = None
    served: Mapping[int, int | None] = field(default_factory=dict)
    last: EventKind | None = None
    entry: int | None = None

    @property
    def suspended(self) -> bool:
        """Whether a version served once and none does now."""
        return self.head is not None and self.aliases.champion is None


def serving_of(unit: UnitOfWork, model: str) -> Serving:
    """Fold the entries of a model. Raises `DamagedError` for one that does not say what it decided."""
    query = select(t.ledger.c.number, t.ledger.c.event, t.ledger.c.body)
    wanted = (t.ledger.c.subject == model) & t.ledger.c.event.in_([kind.value for kind in ALIASING])
    state = Serving()
    for row in unit.rows(query.where(wanted).order_by(t.ledger.c.number)):
        try:
            state = _after(state, row)
        except (KeyError, TypeError) as error:
            raise DamagedError(
                f"Entry {row.number} of the ledger does not say which versions it moved.",
                remedy="Say `maintain audit verify`; it names the first entry that was changed.",
            ) from error
    return state


# --- private ---------------------------------------------------------------------------------------


def _after(state: Serving, row: Row[Any]) -> Serving:
    kind, body = EventKind(row.event), stored_body(row.body)
    version = _number(body["version"])
    if kind is EventKind.VERSION_REGISTERED:
        latest = max(version, state.aliases.candidate or 0)
        return dataclasses.replace(state, aliases=dataclasses.replace(state.aliases, candidate=latest))
    if kind is EventKind.MODEL_INSTALLED:
        aliases = dataclasses.replace(state.aliases, champion=version)
    else:
        aliases = Aliases.of(_mapping(body["aliases"]))
    served = {**state.served}
    if aliases.champion is not None:
        served.setdefault(aliases.champion, aliases.previous)
    head = aliases.champion if aliases.champion is not None else state.head
    if kind is EventKind.VERSION_RETIRED:
        return dataclasses.replace(state, aliases=aliases)
    return Serving(aliases, head, served, kind, row.number)


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a version is a whole number")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("aliases are an object")
    return value
