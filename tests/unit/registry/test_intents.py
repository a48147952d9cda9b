from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select

import helpers.registering
from helpers.registering import MODEL, PLACES, make_intent, make_version
from maintain.clock import FrozenClock
from maintain.database import Database, UnitOfWork, open_database
from maintain.database import tables as t
from maintain.errors import InputError, RefusedError
from maintain.hashing import digest_bytes
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry.events import Event, EventKind
from maintain_registry.folder import FolderStore
from maintain_registry.intents import Intent, abandon, reconcile, register, registered
from maintain_registry.ledger import Ledger
from maintain_registry.memory import MemoryStore
from maintain_registry.port import Content, ModelStore
from maintain_registry.signing import create_signing_key, load_signer
from maintain_registry.verify import verify_chain


class Killed(BaseException):
    """What nothing catches, like SIGKILL."""


class Boundary:
    """Lets a number of steps pass, then kills, once."""

    def __init__(self, after: int) -> None:
        self.left = after

    def cross(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Killed


class KillingStore(MemoryStore):
    """Crosses the boundary before and after everything that changes the store."""

    __slots__ = ("boundary",)

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        self.boundary.cross()
        super().put(version, files)
        self.boundary.cross()

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        self.boundary.cross()
        super().set_alias(model, alias, version, expected=expected)
        self.boundary.cross()

    boundary: Boundary


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def watched(database: Database, boundary: Boundary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every writing transaction cross the boundary before it, inside it, and after its commit."""
    really = Database.begin

    @contextmanager
    def begin(self: Database) -> Iterator[UnitOfWork]:
        boundary.cross()
        with really(self) as unit:
            yield unit
            boundary.cross()
        boundary.cross()

    monkeypatch.setattr(Database, "begin", begin)


def state(database: Database) -> list[tuple[str, int, str, int | None]]:
    with database.read() as unit:
        return [(row.id, row.version, row.state, row.entry) for row in unit.rows(select(t.intent))]


def assert_one_registration(database: Database, ledger: Ledger, store: ModelStore) -> None:
    with database.read() as unit:
        assert registered(unit, MODEL) == store.versions(MODEL) == (1,)
        (entry,) = ledger.entries(unit)
        report = verify_chain(unit, heads=ledger.heads, public_keys=[ledger.signer.public])
    assert report.anchored
    assert (entry.event, entry.body["version"]) == (EventKind.MODEL_INSTALLED, 1)
    assert store.get(MODEL, 1).record.version == 1
    assert store.alias(MODEL, Alias.CHAMPION) == 1
    assert state(database) == [("run-1", 1, "done", 1)]


# --- refusals --------------------------------------------------------------------------------------


def broken_intents() -> dict[str, Intent]:
    good = make_intent()
    return {
        "a number": dataclasses.replace(good, version=make_version(number=3)[0]),
        "a fact of another kind": dataclasses.replace(good, event=Event(EventKind.RUN_ENDED, MODEL, {})),
        "a key of its own": dataclasses.replace(good, event=Event(EventKind.MODEL_INSTALLED, MODEL, {"weights": "x"})),
        "an alias of another kind": dataclasses.replace(good, alias=Alias.CANDIDATE),
        "a second installation": dataclasses.replace(good, expected_champion=1),
        "a file less": dataclasses.replace(good, files={}),
    }


@pytest.mark.parametrize("broken", broken_intents())
def test_what_cannot_be_registered_leaves_nothing(
    database: Database, ledger: Ledger, store: MemoryStore, broken: str
) -> None:
    with pytest.raises(InputError):
        register(database, ledger, store, broken_intents()[broken])
    assert state(database) == []
    assert store.models() == ()


def test_a_stale_champion_leaves_nothing(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    register(database, ledger, store, make_intent())
    with pytest.raises(RefusedError, match="champion"):
        register(database, ledger, store, make_intent("run-2", salt=1))
    with pytest.raises(RefusedError, match="champion"):
        register(database, ledger, store, make_intent("run-3", salt=1, alias=Alias.CANDIDATE, champion=9))
    assert_one_registration(database, ledger, store)


def test_a_champion_that_moves_between_the_steps_stops_the_entry(database: Database, ledger: Ledger) -> None:
    class Moving(MemoryStore):
        def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
            super().put(version, files)
            if version.version == 2:
                self.clear_alias(MODEL, Alias.CHAMPION, expected=1)

    store = Moving()
    register(database, ledger, store, make_intent())
    with pytest.raises(RefusedError, match="champion"):
        register(database, ledger, store, make_intent("run-2", salt=1, alias=Alias.CANDIDATE, champion=1))
    with database.read() as unit:
        assert registered(unit, MODEL) == (1,)
        assert len(ledger.entries(unit)) == 1
    assert store.versions(MODEL) == (1,)
    assert state(database) == [("run-1", 1, "done", 1)]


def test_an_id_means_one_thing(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    register(database, ledger, store, make_intent())
    for other in (make_intent(salt=1), make_intent(alias=Alias.CANDIDATE, champion=1)):
        with pytest.raises(RefusedError, match="other content"):
            register(database, ledger, store, other)
    assert_one_registration(database, ledger, store)


def test_extra_work_that_fails_takes_the_entry_with_it(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    def also(unit: UnitOfWork) -> None:
        raise RefusedError("no", remedy="none")

    with pytest.raises(RefusedError):
        register(database, ledger, store, make_intent(), also=also)
    with database.read() as unit:
        assert ledger.entries(unit) == ()
        assert registered(unit, MODEL) == ()
    assert (store.versions(MODEL), state(database)) == ((), [])
    register(database, ledger, store, make_intent())
    assert_one_registration(database, ledger, store)


# --- the straight way ------------------------------------------------------------------------------


def test_a_version_is_numbered_recorded_and_aliased(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    def also(unit: UnitOfWork) -> None:
        unit.execute(insert(t.source), {"kind": "a", "root": "b"})

    version, entry = register(database, ledger, store, make_intent(), also=also)
    assert version == store.get(MODEL, 1).record
    assert entry.subject == MODEL
    assert entry.envelope is not None
    facts = ("model", "version", "weights", "manifest", "alias", "look")
    assert [entry.body[name] for name in facts] == [
        MODEL,
        1,
        version.weights,
        version.manifest,
        "champion",
        1,
    ]
    with database.read() as unit:
        assert unit.scalar(select(t.source.c.root)) == "b"
    assert_one_registration(database, ledger, store)


def test_the_record_in_the_entry_is_the_file_in_the_folder(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "registry")
    _, entry = register(database, ledger, store, make_intent())
    data = (tmp_path / "registry" / MODEL / "v0001" / "version.json").read_bytes()
    assert entry.body["record"] == digest_bytes(data)


def test_saying_it_again_changes_nothing(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    first = register(database, ledger, store, make_intent())
    assert register(database, ledger, store, make_intent()) == first
    assert register(database, ledger, store, dataclasses.replace(make_intent(), files={})) == first
    assert reconcile(database, ledger, store) == ()
    assert_one_registration(database, ledger, store)


def test_numbers_go_on_after_what_is_stored_and_what_is_intended(
    database: Database, ledger: Ledger, store: MemoryStore
) -> None:
    store.put(*make_version(number=4, salt=4))
    assert register(database, ledger, store, make_intent())[0].version == 5
    later = make_intent("run-2", salt=2, alias=Alias.CANDIDATE, champion=5)
    assert register(database, ledger, store, later)[0].version == 6
    assert (store.alias(MODEL, Alias.CHAMPION), store.alias(MODEL, Alias.CANDIDATE)) == (5, 6)
    with database.read() as unit:
        assert registered(unit, MODEL) == (5, 6)
        assert registered(unit, "other") == ()


def test_registrations_at_the_same_time_get_numbers_of_their_own(
    database: Database, ledger: Ledger, store: MemoryStore
) -> None:
    register(database, ledger, store, make_intent())
    intents = [make_intent(f"run-{salt}", salt=salt, alias=Alias.CANDIDATE, champion=1) for salt in range(2, 6)]
    threads = [
        threading.Thread(target=register, args=(database, ledger, store, intent)) for intent in (*intents, *intents)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as unit:
        assert registered(unit, MODEL) == (1, 2, 3, 4, 5)
        assert len(ledger.entries(unit)) == 5
    assert store.alias(MODEL, Alias.CANDIDATE) == 5


# --- killed ----------------------------------------------------------------------------------------

#: Boundaries of one registration: three for each of its three transactions (A, C, E), two for the
#: files (B), two for the alias (D).
BOUNDARIES = 13


@pytest.mark.parametrize("reconciled", [0, 1, 2])
@pytest.mark.parametrize("after", range(BOUNDARIES))
def test_killed_at_any_boundary_and_said_again(
    database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, after: int, reconciled: int
) -> None:
    boundary = Boundary(after)
    store = KillingStore()
    store.boundary = boundary
    watched(database, boundary, monkeypatch)
    with pytest.raises(Killed):
        register(database, ledger, store, make_intent())
    with database.read() as unit:
        assert len(registered(unit, MODEL)) == len(ledger.entries(unit))
    for _ in range(reconciled):
        reconcile(database, ledger, store)
    register(database, ledger, store, make_intent())
    assert_one_registration(database, ledger, store)


def test_a_registration_crosses_exactly_these_boundaries(
    database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    boundary = Boundary(BOUNDARIES)
    store = KillingStore()
    store.boundary = boundary
    watched(database, boundary, monkeypatch)
    register(database, ledger, store, make_intent())
    assert boundary.left == 0


#: How many boundaries lie before each of these places.
CROSSED = {"after A": 3, "after B": 5, "after C": 8, "after D": 10}


def kill(database: Database, ledger: Ledger, place: str) -> KillingStore:
    """Stop a registration at a named place, in this process; the store as it was left."""
    store = KillingStore()
    store.boundary = Boundary(CROSSED[place])
    with pytest.MonkeyPatch.context() as patch:
        watched(database, store.boundary, patch)
        with pytest.raises(Killed):
            register(database, ledger, store, make_intent())
    return store


@pytest.mark.parametrize(
    ("place", "said", "left"),
    [
        ("after A", "never stored", []),
        ("after B", "resume its run", [("run-1", 1, "begun", None)]),
        ("after C", "is finished", [("run-1", 1, "done", 1)]),
        ("after D", "is finished", [("run-1", 1, "done", 1)]),
    ],
)
def test_reconcile_finishes_or_removes(
    database: Database, ledger: Ledger, place: str, said: str, left: list[tuple[object, ...]]
) -> None:
    store = kill(database, ledger, place)
    (sentence,) = reconcile(database, ledger, store)
    assert said in sentence
    assert state(database) == left
    assert store.alias(MODEL, Alias.CHAMPION) == (1 if left and left[0][2] == "done" else None)


def test_a_second_first_champion_waits_for_neither_alias_nor_luck(database: Database, ledger: Ledger) -> None:
    """Recorded but not yet aliased: the next one must see the champion that is coming."""
    store = kill(database, ledger, "after C")
    with pytest.raises(RefusedError, match="champion"):
        register(database, ledger, store, make_intent("run-2", salt=2))
    assert_one_registration(database, ledger, store)


def test_an_alias_that_a_later_decision_moved_is_left_alone(database: Database, ledger: Ledger) -> None:
    store = kill(database, ledger, "after C")
    store.put(*make_version(number=2, salt=2))
    store.set_alias(MODEL, Alias.CHAMPION, 2, expected=None)
    (sentence,) = reconcile(database, ledger, store)
    assert "moved on" in sentence
    assert store.alias(MODEL, Alias.CHAMPION) == 2
    assert state(database) == [("run-1", 1, "done", 1)]


def test_reconcile_completes_the_heads(database: Database, ledger: Ledger, store: MemoryStore) -> None:
    register(database, ledger, store, make_intent())
    whole = ledger.heads.read_bytes()
    ledger.heads.write_bytes(whole[:20])
    reconcile(database, ledger, store)
    assert ledger.heads.read_bytes() == whole


def test_a_row_without_its_entry_does_not_count_as_registered(
    database: Database, ledger: Ledger, store: MemoryStore, attacker: sqlite3.Connection
) -> None:
    register(database, ledger, store, make_intent())
    attacker.execute("delete from ledger")
    with database.read() as unit:
        assert registered(unit, MODEL) == ()


@pytest.mark.parametrize("place", PLACES)
def test_really_killed(tmp_path: Path, template: Path, place: str) -> None:
    """SIGKILL in a process of its own, then the same registration again in this one."""
    shutil.copy(template, tmp_path / "maintain.db")
    create_signing_key(tmp_path / "ledger.pem")
    program = [sys.executable, str(helpers.registering.__file__), place, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    done = subprocess.run(program, env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    ledger = Ledger(FrozenClock(), load_signer(tmp_path / "ledger.pem"), "tests", tmp_path / "ledger.heads")
    database, store = open_database(tmp_path / "maintain.db"), FolderStore(tmp_path / "registry")
    with database.read() as unit:
        assert len(registered(unit, MODEL)) == len(ledger.entries(unit)) == int(PLACES[place])
    register(database, ledger, store, make_intent())
    assert_one_registration(database, ledger, store)
    database.close()


def test_what_will_never_be_resumed_is_removed_with_its_weights(database: Database, ledger: Ledger) -> None:
    store = kill(database, ledger, "after B")
    abandon(database, store, "run-1")
    abandon(database, store, "run-1")
    assert (store.versions(MODEL), state(database), reconcile(database, ledger, store)) == ((), [], ())


def test_a_version_that_is_recorded_cannot_be_abandoned(database: Database, ledger: Ledger) -> None:
    store = kill(database, ledger, "after C")
    with pytest.raises(RefusedError, match="is registered"):
        abandon(database, store, "run-1")
    reconcile(database, ledger, store)
    assert_one_registration(database, ledger, store)
