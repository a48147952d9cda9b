"""Moves of aliases: refused they leave nothing, decided they are shown, and a hand in between is named."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import select

from helpers.registering import MODEL, make_intent
from maintain.database import Database, UnitOfWork
from maintain.database import tables as t
from maintain.errors import BrokenChainError, DamagedError, InputError, RefusedError, UnknownNameError, WaitingError
from maintain.vocabulary import Alias
from maintain_registry import lock
from maintain_registry.aliases import Aliases, aliases_of, finish_moves, record_move
from maintain_registry.events import EventKind
from maintain_registry.inspection import irregularities
from maintain_registry.intents import reconcile, register
from maintain_registry.ledger import Ledger
from maintain_registry.memory import MemoryStore
from maintain_registry.moves import Move, move_aliases
from maintain_registry.proof import entry_of_version, require_signed, require_whole
from maintain_registry.serving import Serving, serving_of


@pytest.fixture
def store(database: Database, ledger: Ledger) -> MemoryStore:
    """Version 1 serves and version 2 waits."""
    found = MemoryStore()
    register(database, ledger, found, make_intent())
    register(database, ledger, found, make_intent("run-2", salt=1, alias=Alias.CANDIDATE, champion=1))
    return found


def promotion(**changes: object) -> Move:
    values: dict[str, object] = {
        "kind": EventKind.VERSION_PROMOTED,
        "version": 2,
        "after": Aliases(champion=2, previous=1),
        "body": {"left": 1},
    }
    return Move(**{**values, **changes})  # type: ignore[arg-type]  # tests give wrong ones on purpose


def rows(database: Database) -> list[tuple[int, str]]:
    with database.read() as unit:
        return [(row.entry, row.state) for row in unit.rows(select(t.alias_move))]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"kind": EventKind.RUN_ENDED}, InputError, "does not move an alias"),
        ({"kind": EventKind.VERSION_REGISTERED}, InputError, "does not move an alias"),
        ({"body": {"aliases": {}}}, InputError, "may not bring its own aliases"),
        ({"body": {"version": 9}}, InputError, "may not bring its own version"),
        ({"after": Aliases(champion=3)}, RefusedError, "Version 3 of fundus-triage is not registered"),
        ({"after": Aliases(champion=2, previous=9)}, RefusedError, "Version 9"),
    ],
)
def test_what_may_not_be_moved_leaves_nothing(
    database: Database,
    ledger: Ledger,
    store: MemoryStore,
    changes: dict[str, object],
    error: type[Exception],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        move_aliases(database, ledger, store, MODEL, lambda unit, found: promotion(**changes))
    with database.read() as unit:
        assert len(ledger.entries(unit)) == 2
    assert (rows(database), aliases_of(store, MODEL)) == ([], Aliases(champion=1, candidate=2))


def test_it_is_decided_recorded_and_shown(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    seen: list[Aliases] = []

    def decide(unit: UnitOfWork, found: Aliases) -> Move:
        seen.append(found)
        return promotion()

    _, entry = move_aliases(database, ledger, store, MODEL, decide)
    after = Aliases(champion=2, previous=1)
    assert seen == [Aliases(champion=1, candidate=2)]
    assert dict(entry.body) == {"left": 1, "version": 2, "aliases": after.document()}
    assert entry.envelope is not None
    assert (rows(database), aliases_of(store, MODEL)) == ([(3, "done")], after)
    with database.read() as unit:
        assert serving_of(unit, MODEL) == Serving(after, 2, {1: None, 2: 1}, EventKind.VERSION_PROMOTED, 3)
        assert irregularities(unit, store) == ()
    assert reconcile(database, ledger, store) == ()


def test_an_alias_that_a_hand_moved_in_between_is_left_alone_and_named(
    database: Database, ledger: Ledger, store: MemoryStore
) -> None:
    with ledger.begin(database) as unit:
        record_move(unit, MODEL, 9, before=aliases_of(store, MODEL), after=Aliases(champion=2, previous=1))
    store.clear_alias(MODEL, Alias.CHAMPION, expected=1)
    (said,) = finish_moves(database, store)
    assert "its alias champion was moved by hand" in said
    assert (rows(database), aliases_of(store, MODEL)) == ([(9, "done")], Aliases(previous=1))
    with database.read() as unit:
        assert {item.serious for item in irregularities(unit, store)} == {True}


def test_a_version_that_a_hand_removed_in_between_is_named_and_nothing_else_stops(
    database: Database, ledger: Ledger, store: MemoryStore
) -> None:
    with ledger.begin(database) as unit:
        record_move(unit, MODEL, 9, before=aliases_of(store, MODEL), after=Aliases(champion=7, previous=1))
    (said,) = finish_moves(database, store)
    assert "version 7, its champion by ledger entry 9, was removed by hand" in said
    assert (rows(database), aliases_of(store, MODEL)) == ([(9, "done")], Aliases(champion=1, previous=1))
    with database.read() as unit:
        assert {item.serious for item in irregularities(unit, store)} == {True}


def test_a_model_without_entries_serves_nothing(database: Database, ledger: Ledger) -> None:
    with database.read() as unit:
        assert serving_of(unit, "nobody") == Serving()
        with pytest.raises(UnknownNameError):
            entry_of_version(unit, ledger, "nobody", 1)


@pytest.mark.parametrize("body", ["{}", '{"version":"2"}', '{"version":null}', "nothing"])
def test_an_entry_that_does_not_say_what_it_moved_is_damage(
    database: Database, store: MemoryStore, attacker: sqlite3.Connection, body: str
) -> None:
    attacker.execute("update ledger set body = ? where number = 2", (body,))
    with database.read() as unit, pytest.raises(DamagedError, match="Entry 2"):
        serving_of(unit, MODEL)


@pytest.mark.parametrize(
    "change",
    ["body = replace(body, '1', '2')", "actor = 'x'", "at = '2020'", "hash = 'x'", "envelope = null", "subject = 'x'"],
)
def test_an_entry_that_was_changed_proves_nothing(
    database: Database, ledger: Ledger, store: MemoryStore, attacker: sqlite3.Connection, change: str
) -> None:
    with database.read() as unit:
        require_whole(unit, ledger, store, MODEL, 1)
    attacker.execute(f"update ledger set {change} where number = 1")
    with database.read() as unit:
        with pytest.raises(BrokenChainError, match="Entry 1"):
            require_signed(ledger.entry(unit, 1), ledger)
        with pytest.raises(BrokenChainError, match="Entry 1"):
            require_whole(unit, ledger, store, MODEL, 1)


def test_whoever_waits_too_long_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)
    second = lock.alone(database)
    with lock.alone(database), pytest.raises(WaitingError, match="registering a version or moving an alias"):
        second.__enter__()
    with lock.alone(database):
        pass
