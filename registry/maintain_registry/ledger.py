"""The ledger: append-only, hash-chained over every column, deciding entries signed.

It writes into the unit of work of whoever acts, so that a change and the record of it are
committed together; the head file follows after the commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, insert, select

from maintain.clock import Clock, timestamp
from maintain.database import Database, UnitOfWork
from maintain.database import tables as t
from maintain.errors import DamagedError, UnknownNameError
from maintain.hashing import Digest, canonical_json, digest_json
from maintain_registry import heads as headfile
from maintain_registry.events import CLOCK_BEHIND, Event, EventKind, check_words
from maintain_registry.signing import Signer

#: What the first entry names as its predecessor.
GENESIS = "0" * 64

#: DSSE payload type of a signed entry.
PAYLOAD_TYPE = "application/vnd.maintain.ledger-entry.v1+json"

#: Schema name and version inside every payload and under every hash.
SCHEMA = ("maintain.ledger-entry", 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `envelope` is the DSSE envelope of a deciding entry, else None."""

    number: int
    at: str
    actor: str
    event: EventKind
    subject: str
    body: Mapping[str, object]
    previous: Digest
    envelope: Mapping[str, object] | None
    hash: Digest


@dataclass(frozen=True, slots=True)
class Ledger:
    """The pen: who writes, with which key and clock, and where the heads go."""

    clock: Clock
    signer: Signer
    actor: str
    heads: Path

    def __post_init__(self) -> None:
        check_words("actor", self.actor)

    def append(self, unit: UnitOfWork, event: Event) -> Entry:
        """Write one entry into this unit of work. Use `begin`, so that the head file follows."""
        last = unit.row(_NEWEST)
        at = timestamp(self.clock.now())
        late = last is not None and at < last.at
        columns: dict[str, Any] = {
            "number": last.number + 1 if last is not None else 1,
            "at": at,
            "actor": self.actor,
            "event": event.kind.value,
            "subject": event.subject,
            "body": {**event.body, CLOCK_BEHIND: True} if late else dict(event.body),
            "previous": last.hash if last is not None else GENESIS,
        }
        signed = self.signer.sign(PAYLOAD_TYPE, payload(columns)) if event.kind.decides else None
        columns["envelope"] = signed
        columns["hash"] = entry_hash(columns)
        body, envelope = canonical_json(columns["body"]), canonical_json(signed) if signed else None
        unit.execute(insert(t.ledger), {**columns, "body": body, "envelope": envelope})
        return _entry(columns)

    def entries(self, unit: UnitOfWork) -> tuple[Entry, ...]:
        """Every entry, oldest first, as the rows say; `verify_chain` tells whether to believe them."""
        return tuple(_read(row) for row in unit.rows(select(t.ledger).order_by(t.ledger.c.number)))

    def entry(self, unit: UnitOfWork, number: int) -> Entry:
        """One entry. Raises `UnknownNameError` when there is none of that number."""
        row = unit.row(select(t.ledger).where(t.ledger.c.number == number))
        if row is None:
            raise UnknownNameError("ledger entry", str(number), ())
        return _read(row)

    @contextmanager
    def begin(self, database: Database) -> Iterator[UnitOfWork]:
        """`database.begin()` for work that appends; after the commit the head file is completed.

        Raises `BrokenChainError` before anything is written when the head file disagrees.
        """
        headfile.require_folder(self.heads)
        with database.begin() as unit:
            headfile.behind(headfile.read_heads(self.heads) or b"", chain_heads(unit))
            yield unit
        self.complete_heads(database)

    def complete_heads(self, database: Database) -> None:
        """Add what a crash left out of the head file. Raises `BrokenChainError` when it disagrees."""

        def chain() -> list[headfile.Head]:
            with database.read() as unit:
                return chain_heads(unit)

        headfile.complete(self.heads, chain)


def chain_heads(unit: UnitOfWork) -> list[headfile.Head]:
    """Number and hash of every entry, oldest first."""
    return [(row.number, row.hash) for row in unit.rows(_HEADS)]


def last_entry_time(unit: UnitOfWork) -> str | None:
    """When the last entry says it was written; None for an empty ledger."""
    last = unit.row(_NEWEST)
    return None if last is None else str(last.at)


def stored_body(text: object) -> dict[str, object]:
    """The body of an entry as its row holds it; empty where that is no JSON object."""
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {}


def content(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says: every column but envelope and hash, with the schema; this is signed."""
    name, version = SCHEMA
    return {"schema": name, "version": version, **{column: columns[column] for column in _CONTENT}}


def payload(columns: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: the canonical JSON of the content."""
    return canonical_json(content(columns)).encode()


def entry_hash(columns: Mapping[str, Any]) -> Digest:
    """The hash of an entry: over its content and its envelope, hence over every column."""
    return digest_json({**content(columns), "envelope": columns["envelope"]})


# --- private ---------------------------------------------------------------------------------------

_CONTENT = ("number", "at", "actor", "event", "subject", "body", "previous")

_COLUMNS = t.ledger.c

_NEWEST = select(_COLUMNS.number, _COLUMNS.at, _COLUMNS.hash).order_by(_COLUMNS.number.desc()).limit(1)

_HEADS = select(_COLUMNS.number, _COLUMNS.hash).order_by(_COLUMNS.number)


def _read(row: Row[Any]) -> Entry:
    try:
        return _entry({**row._mapping, "body": json.loads(row.body), "envelope": _loaded(row.envelope)})
    except (TypeError, ValueError, RecursionError) as error:
        raise DamagedError(
            f"Entry {row.number} of the ledger cannot be read.",
            remedy="Say `maintain audit verify`; it names the first entry that was changed.",
        ) from error


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _entry(columns: Mapping[str, Any]) -> Entry:
    envelope = columns["envelope"]
    return Entry(
        number=columns["number"],
        at=columns["at"],
        actor=columns["actor"],
        event=EventKind(columns["event"]),
        subject=columns["subject"],
        body=MappingProxyType(columns["body"]),
        previous=columns["previous"],
        envelope=None if envelope is None else MappingProxyType(envelope),
        hash=columns["hash"],
    )
