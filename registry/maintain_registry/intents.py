"""Registration: a version and its ledger entry exist both or not at all, also after kill -9.

An intent row is the idempotency key. Steps: (A) the row and its number, (B) the files, (C) entry,
extra work and row state in one transaction, (D) the alias, (E) the row is done. Whoever comes back
with the same id, or calls `reconcile`, goes on where the killed process stopped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from maintain import codec
from maintain.database import Database, UnitOfWork
from maintain.database import tables as t
from maintain.errors import InputError, RefusedError, StaleError
from maintain.hashing import Digest, digest_bytes
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry import contents
from maintain_registry.aliases import finish_moves
from maintain_registry.events import Event, EventKind
from maintain_registry.holdings import Tagging
from maintain_registry.ledger import Entry, Ledger
from maintain_registry.lock import alone
from maintain_registry.port import Content, ModelStore
from maintain_registry.retirement import refuse_doomed
from maintain_registry.weights import WeightFile, WeightKind, enter_weights, strike_weights, weight_files

#: The number of a version that has not been registered; `register` gives it the real one.
UNNUMBERED = 0

#: What an entry says of a version beside its record: files that no record names, and the tags that a store set.
BESIDE, TAGS = "beside", "tags"

#: Facts that bring a version into being, and the alias each sets: only `promote` moves a champion.
REGISTERING: Mapping[EventKind, Alias] = {
    EventKind.MODEL_INSTALLED: Alias.CHAMPION,
    EventKind.VERSION_REGISTERED: Alias.CANDIDATE,
}


@dataclass(frozen=True, slots=True)
class Intent:
    """What shall be registered. `id` is the idempotency key, for example the name of the run.

    `version` is still `UNNUMBERED`; `expected_champion` is the champion the work was based on.
    """

    id: str
    version: ModelVersion
    files: Mapping[str, Content] = field(repr=False)
    alias: Alias
    event: Event
    expected_champion: int | None


def register(
    database: Database,
    ledger: Ledger,
    store: ModelStore,
    intent: Intent,
    *,
    also: Callable[[UnitOfWork], None] | None = None,
) -> tuple[ModelVersion, Entry]:
    """The numbered version and its ledger entry; safe to say again after any crash.

    `also` joins the transaction that writes the entry. Raises `RefusedError` when the champion
    is no longer the expected one, or the id was used for something else; a refusal by `also` or
    by the champion leaves nothing behind.
    """
    _check(intent)
    with alone(database):
        finish_recorded(database, store, intent.version.model)
        if _find(database, intent.id) is None:
            contents.check(dataclasses.replace(intent.version, version=1), intent.files)
        version = _begin(database, store, intent)
        if _row_of(database, intent.id).state == BEGUN:
            _enter(database, version, store.reserve(version, intent.files))
            store.put(version, intent.files)
            try:
                _record(database, ledger, store, intent, version, also)
            except RefusedError:
                _undo(database, store, intent.id)
                raise
        row = _row_of(database, intent.id)
        _finish(database, store, row)
    ledger.complete_heads(database)
    with database.read() as unit:
        return version, ledger.entry(unit, row.entry)


def reconcile(database: Database, ledger: Ledger, store: ModelStore) -> tuple[str, ...]:
    """Finish or remove what a killed process left, and say what was found, one sentence each.

    Waits for a registration that is under way. Raises `BrokenChainError` when the heads disagree.
    """
    with alone(database):
        ledger.complete_heads(database)
        finished = finish_recorded(database, store)
        with database.begin() as unit:
            return finished + tuple(_settle(unit, store, row) for row in unit.rows(_intents(BEGUN)))


def abandon(database: Database, store: ModelStore, identity: str) -> None:
    """Remove what a registration that will never be resumed left; unknown ids are fine.

    Raises `RefusedError` when it is recorded in the ledger: then the version exists.
    """
    with alone(database):
        row = _find(database, identity)
        if row is None:
            return
        if row.state != BEGUN:
            raise RefusedError(
                f"Version {row.version} of {row.model} is registered and cannot be abandoned.",
                remedy="Leave it as it is; only `maintain registry promote` makes a version serve.",
            )
        _undo(database, store, identity)


def finish_recorded(database: Database, store: ModelStore, model: str | None = None) -> tuple[str, ...]:
    """Show the store what killed processes recorded, moves of aliases included; call it under the lock.

    An alias that a later decision moved is left alone.
    """
    with database.read() as unit:
        rows = [row for row in unit.rows(_intents(RECORDED)) if model in (None, row.model)]
    said: list[str] = []
    for row in rows:
        try:
            _finish(database, store, row)
            said.append(f"{row.model} version {row.version}: its registration is finished.")
        except RefusedError:
            with database.begin() as unit:
                _move(unit, row.id, DONE, row.entry)
            said.append(f"{row.model} version {row.version}: its alias {row.alias} was moved on since.")
    return (*said, *finish_moves(database, store, model))


def registered(unit: UnitOfWork, model: str) -> tuple[int, ...]:
    """The numbers of a model that have a ledger entry; only these count as registered."""
    query = (
        select(t.intent.c.version)
        .join(t.ledger, t.ledger.c.number == t.intent.c.entry)
        .where(t.intent.c.model == model, t.intent.c.state.in_((RECORDED, DONE)))
        .order_by(t.intent.c.version)
    )
    return tuple(row.version for row in unit.rows(query))


def same_weights(unit: UnitOfWork, weights: Digest) -> tuple[tuple[str, int, bool], ...]:
    """The versions of any model that have these very weights; False for one whose registration is under way."""
    query = select(t.intent).where(t.intent.c.weights == weights).order_by(t.intent.c.model, t.intent.c.version)
    return tuple((row.model, row.version, row.state != BEGUN) for row in unit.rows(query))


def known_models(unit: UnitOfWork) -> tuple[str, ...]:
    """The models of which a version was registered, or is about to be, sorted."""
    return tuple(sorted(row.model for row in unit.rows(select(t.intent.c.model).distinct())))


# --- private ---------------------------------------------------------------------------------------

BEGUN, RECORDED, DONE = "begun", "recorded", "done"


def _check(intent: Intent) -> None:
    if intent.version.version != UNNUMBERED:
        raise InputError("A version is numbered when it is registered.", remedy="Leave its number 0.")
    if REGISTERING.get(intent.event.kind) is not intent.alias:
        known = ", ".join(f"{kind} with {alias}" for kind, alias in sorted(REGISTERING.items()))
        raise InputError(
            f"{intent.event.kind} does not bring a version into being as {intent.alias}.",
            remedy=f"Use one of: {known}.",
        )
    if intent.alias is Alias.CHAMPION and intent.expected_champion is not None:
        raise InputError(
            "A model is installed only while it has no champion.",
            remedy="Register the version as a candidate; `maintain registry promote` moves the champion.",
        )
    taken = sorted(set(intent.event.body) & {*_facts(intent, intent.version), BESIDE, TAGS})
    if taken:
        raise InputError(
            f"The body of a registration may not bring its own {', '.join(taken)}.",
            remedy="Leave these keys out; they are taken from the version.",
        )


def _begin(database: Database, store: ModelStore, intent: Intent) -> ModelVersion:
    """(A) The row, with the next number; the same id gets the same number again."""
    asked = _asked(intent)
    with database.begin() as unit:
        row = unit.row(select(t.intent).where(t.intent.c.id == intent.id))
        if row is not None:
            if row.event != asked:
                raise RefusedError(
                    "This registration was begun before, with other content.",
                    remedy="Resume it as it was, or begin a new run.",
                )
            return dataclasses.replace(intent.version, version=row.version)
        _require_champion(unit, store, intent)
        refuse_doomed(unit, intent.version.weights)
        model = intent.version.model
        highest = unit.scalar(select(func.max(t.intent.c.version)).where(t.intent.c.model == model))
        version = max((highest or 0, *store.versions(model))) + 1
        values = {"id": intent.id, "model": model, "version": version, "alias": intent.alias.value}
        unit.execute(
            insert(t.intent),
            {**values, "weights": intent.version.weights, "event": asked, "state": BEGUN, "entry": None},
        )
        return dataclasses.replace(intent.version, version=version)


def _enter(database: Database, version: ModelVersion, place: str | None) -> None:
    """Into the register of weights, in a transaction before the files."""
    if place is not None:
        with database.begin() as unit:
            enter_weights(unit, WeightFile(place, WeightKind.VERSION, version.model, version.weights, version.weights))


def _forget(unit: UnitOfWork, store: ModelStore, row: Row[Any]) -> None:
    """Remove what was written down of a registration whose files are gone: only other versions keep their places."""
    unit.execute(delete(t.intent).where(t.intent.c.id == row.id))
    others = {store.weights_place(model, number) for model, number, _ in same_weights(unit, row.weights)}
    rows = [found for found in weight_files(unit, row.weights) if found.kind is WeightKind.VERSION]
    strike_weights(unit, [found.place for found in rows if found.model == row.model and found.place not in others])


def _record(
    database: Database,
    ledger: Ledger,
    store: ModelStore,
    intent: Intent,
    version: ModelVersion,
    also: Callable[[UnitOfWork], None] | None,
) -> None:
    """(C) Ledger entry, extra work and the state of the row: one transaction."""
    kept = _kept(store, version)
    with ledger.begin(database) as unit:
        if _row(unit, intent.id).state != BEGUN:
            return
        _require_champion(unit, store, intent)
        refuse_doomed(unit, version.weights)
        body = {**intent.event.body, **_facts(intent, version), **kept}
        entry = ledger.append(unit, Event(intent.event.kind, intent.event.subject, body))
        if also is not None:
            also(unit)
        _move(unit, intent.id, RECORDED, entry.number)


def _undo(database: Database, store: ModelStore, identity: str) -> None:
    """Remove the files, then the row: killed in between, `reconcile` removes the row."""
    row = _row_of(database, identity)
    if row.state == BEGUN:
        store.discard(row.model, row.version)
        with database.begin() as unit:
            _forget(unit, store, row)


def _finish(database: Database, store: ModelStore, row: Row[Any]) -> None:
    """(D) the alias, unless it stands there or further on already, then (E) the row is done."""
    if row.state != RECORDED:
        return
    alias = Alias(row.alias)
    present = store.alias(row.model, alias)
    if alias is Alias.CHAMPION:
        if present != row.version:
            store.set_alias(row.model, alias, row.version, expected=row.event["expected_champion"])
    elif present is None or present < row.version:
        store.set_alias(row.model, alias, row.version, expected=present)
    with database.begin() as unit:
        _move(unit, row.id, DONE, row.entry)


def _settle(unit: UnitOfWork, store: ModelStore, row: Row[Any]) -> str:
    """Remove a begun row, and what its writer left behind, when no version was stored; else its run must resume."""
    if row.version in store.versions(row.model):
        return f"{row.model} version {row.version} is stored and not registered; resume its run."
    store.discard(row.model, row.version)
    _forget(unit, store, row)
    return f"{row.model} version {row.version} was never stored; its number is free again."


def _require_champion(unit: UnitOfWork, store: ModelStore, intent: Intent) -> None:
    """Raise `RefusedError` when another version serves, or is recorded to serve, by now."""
    model = intent.version.model
    coming = [
        row.version for row in unit.rows(_intents(RECORDED)) if row.model == model and row.alias == Alias.CHAMPION
    ]
    present = coming[-1] if coming else store.alias(model, Alias.CHAMPION)
    if present != intent.expected_champion:
        raise StaleError(
            f"The champion of {model} has changed since this work began.",
            remedy="The result is stale; run the policy again on the present champion.",
        )


def _facts(intent: Intent, version: ModelVersion) -> dict[str, Any]:
    """What the entry says of the version: its whole record, the digest of its file, its alias."""
    return {**codec.encode(version), "record": codec.digest_of(version), "alias": intent.alias.value}


def _kept(store: ModelStore, version: ModelVersion) -> dict[str, Any]:
    """What else lies in the store now, whichever attempt put it there; from now on the ledger holds it."""
    stored = store.get(version.model, version.version)
    named = contents.expected_files(version)
    kept: dict[str, Any] = {}
    if beside := {name: digest_bytes(stored.read(name)) for name in stored.files if name not in named}:
        kept[BESIDE] = beside
    if isinstance(store, Tagging):
        kept[TAGS] = dict(store.tags(version.model, version.version))
    return kept


def _asked(intent: Intent) -> dict[str, Any]:
    return {
        "kind": intent.event.kind.value,
        "subject": intent.event.subject,
        "body": dict(intent.event.body),
        "version": codec.encode(intent.version),
        "alias": intent.alias.value,
        "expected_champion": intent.expected_champion,
    }


def _intents(state: str) -> Select[Any]:
    return select(t.intent).where(t.intent.c.state == state).order_by(t.intent.c.model, t.intent.c.version)


def _row(unit: UnitOfWork, identity: str) -> Row[Any]:
    row = unit.row(select(t.intent).where(t.intent.c.id == identity))
    assert row is not None, "rows are removed only by `reconcile`, which waits for registrations"
    return row


def _find(database: Database, identity: str) -> Row[Any] | None:
    with database.read() as unit:
        return unit.row(select(t.intent).where(t.intent.c.id == identity))


def _row_of(database: Database, identity: str) -> Row[Any]:
    with database.read() as unit:
        return _row(unit, identity)


def _move(unit: UnitOfWork, identity: str, state: str, entry: int | None) -> None:
    unit.execute(update(t.intent).where(t.intent.c.id == identity).values(state=state, entry=entry))
