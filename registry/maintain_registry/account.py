"""What must lie in a store according to the ledger: versions, files, tags and aliases, each with its entry.

The rows of registrations and moves under way are read too, so that work in progress is explained and not
accused; everything else comes from the entries alone, which the chain and their signatures hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from maintain import codec
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import DamagedError
from maintain.hashing import Digest
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry.aliases import RECORDED as MOVING_NOW
from maintain_registry.aliases import Aliases
from maintain_registry.events import EventKind
from maintain_registry.intents import BEGUN, BESIDE, RECORDED, REGISTERING, TAGS
from maintain_registry.ledger import stored_body
from maintain_registry.retirement import Retirement, retirements
from maintain_registry.serving import ALIASING, MOVING, serving_of


@dataclass(frozen=True, slots=True)
class Claimed:
    """A registered version as its entry names it.

    `beside` are files that the record does not name. `tags` is None where the entry is older than that it holds
    them; `promoted` is the entry that let it serve first.
    """

    record: ModelVersion
    digest: Digest
    entry: int
    beside: Mapping[str, Digest]
    tags: Mapping[str, str] | None
    promoted: int | None
    retirement: Retirement | None


@dataclass(frozen=True, slots=True)
class ClaimedAlias:
    """Where an alias must point; `also` is where it may while a decision is being shown."""

    number: int | None
    entry: int | None
    also: frozenset[int | None] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that the ledger claims of a store, as of its entry `head`."""

    head: int
    versions: Mapping[tuple[str, int], Claimed]
    aliases: Mapping[tuple[str, Alias], ClaimedAlias]
    begun: frozenset[tuple[str, int]]
    showing: frozenset[int]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that have a registered version, sorted."""
        return tuple(sorted({model for model, _ in self.versions}))


def account_of(unit: UnitOfWork) -> Account:
    """Read the account. Raises `DamagedError` for an entry that does not say what it decided."""
    rows = tuple(unit.rows(select(t.intent)))
    showing = tuple(unit.rows(select(t.alias_move).where(t.alias_move.c.state == MOVING_NOW)))
    versions = dict(_versions(unit))
    under_way = [(row.model, Alias(row.alias)) for row in rows if row.state == RECORDED]
    aliases: dict[tuple[str, Alias], ClaimedAlias] = {}
    for model in sorted({model for model, _ in versions}):
        numbers = {number for name, number in versions if name == model}
        before = [Aliases.of(row.before) for row in showing if row.model == model]
        for alias, claimed in _aliases(unit, model):
            registering: set[int | None] = {None, *numbers} if (model, alias) in under_way else set()
            also = frozenset({*registering, *(found.at(alias) for found in before)})
            aliases[model, alias] = dataclasses.replace(claimed, also=also)
    return Account(
        head=unit.scalar(select(func.max(t.ledger.c.number))) or 0,
        versions=versions,
        aliases=aliases,
        begun=frozenset((row.model, row.version) for row in rows if row.state == BEGUN),
        showing=frozenset(row.entry for row in showing),
    )


# --- private ---------------------------------------------------------------------------------------


def _versions(unit: UnitOfWork) -> Iterator[tuple[tuple[str, int], Claimed]]:
    promoted = {(model, body["version"]): number for number, model, body in _bodies(unit, EventKind.VERSION_PROMOTED)}
    gone: dict[str, Mapping[int, Retirement]] = {}
    for number, model, body in _bodies(unit, *REGISTERING):
        try:
            record = codec.decode(ModelVersion, {name: body[name] for name in _FIELDS})
            digest, beside, tags = str(body["record"]), body.get(BESIDE, {}), body.get(TAGS)
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(number) from error
        if model not in gone:
            gone[model] = retirements(unit, model)
        key = (record.model, record.version)
        yield key, Claimed(record, digest, number, beside, tags, promoted.get(key), gone[model].get(record.version))


def _aliases(unit: UnitOfWork, model: str) -> Iterator[tuple[Alias, ClaimedAlias]]:
    """What the entries decided, each alias with the last entry that spoke of it."""
    entries: dict[Alias, int] = {}
    for number, subject, kind in _events(unit, *ALIASING):
        if subject == model:
            entries |= dict.fromkeys(Alias if kind in MOVING else (REGISTERING[kind],), number)
    decided = serving_of(unit, model).aliases
    for alias in Alias:
        yield alias, ClaimedAlias(decided.at(alias), entries.get(alias))


def _bodies(unit: UnitOfWork, *kinds: EventKind) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for row in unit.rows(select(t.ledger).where(t.ledger.c.event.in_(kinds)).order_by(t.ledger.c.number)):
        yield row.number, row.subject, stored_body(row.body)


def _events(unit: UnitOfWork, *kinds: EventKind) -> Iterator[tuple[int, str, EventKind]]:
    columns = t.ledger.c
    query = select(columns.number, columns.subject, columns.event).where(columns.event.in_(kinds))
    for row in unit.rows(query.order_by(columns.number)):
        yield row.number, row.subject, EventKind(row.event)


def _unreadable(number: int) -> DamagedError:
    return DamagedError(
        f"Entry {number} of the ledger does not say which version it registered.",
        remedy="Say `maintain audit verify`; it names the first entry that was changed.",
    )


#: What a record of a version holds.
_FIELDS = tuple(item.name for item in dataclasses.fields(ModelVersion))
