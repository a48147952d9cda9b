"""One registered version on one page: who made it, what it is, why, what judged it, and every entry about it."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.database import UnitOfWork
from maintain.records import ModelVersion, Origin, Verdict
from maintain_pipelines.champions import Champion, ancestors_of, read_version
from maintain_pipelines.compare import verdict_of
from maintain_pipelines.context import Context
from maintain_registry import (
    Entry,
    EventKind,
    Retirement,
    aliases_of,
    entries_about,
    entry_of_version,
    require_record,
    require_signed,
    retirements,
)


@dataclass(frozen=True, slots=True)
class Biography:
    """What is known of a version.

    `chain`: the versions whose weights it began from, nearest first; `origin`: what the last of them began from.
    """

    version: Champion
    aliases: tuple[str, ...]
    made: Entry
    verdict: Verdict | None
    chain: tuple[int, ...]
    origin: Origin
    entries: tuple[Entry, ...]
    retirement: Retirement | None


def tell(model: str, number: int, context: Context) -> Biography:
    """Everything about a version, its files read and the signatures of its entries checked.

    A retired version is told of like any other. Raises as `require_record` does.
    """
    with context.database.read() as unit:
        stored = require_record(unit, context.ledger, context.store, model, number)
        record, retirement = stored.record, retirements(unit, model).get(number)
        made = entry_of_version(unit, context.ledger, model, number)
        entries = _entries(unit, record, context)
    version = read_version(context.store, model, number)
    ancestors = ancestors_of(context.store, version)
    held = aliases_of(context.store, model).document()
    return Biography(
        version=version,
        aliases=tuple(alias for alias, at in held.items() if at == number),
        made=made,
        verdict=verdict_of(model, number, context),
        chain=tuple(earlier.version.version for earlier in ancestors),
        origin=(ancestors[-1] if ancestors else version).manifest.origin,
        entries=entries,
        retirement=retirement,
    )


# --- private ---------------------------------------------------------------------------------------


def _entries(unit: UnitOfWork, record: ModelVersion, context: Context) -> tuple[Entry, ...]:
    """The entries of its run, and those that made it serve or stop."""
    found = entries_about(unit, context.ledger, record.model, *EventKind)
    mine = tuple(entry for entry in found if _concerns(entry, record))
    return tuple(require_signed(entry, context.ledger) if entry.envelope else entry for entry in mine)


def _concerns(entry: Entry, record: ModelVersion) -> bool:
    body = entry.body
    if record.run is not None and body.get("run") == record.run:
        return True
    return record.version in (body.get("version"), body.get("left"))
