from __future__ import annotations

import base64
import json
import sqlite3
import threading
from pathlib import Path

import pytest

from maintain.clock import FrozenClock
from maintain.database import Database
from maintain.errors import BrokenChainError, DamagedError, InputError, UnknownNameError, WorkspaceError
from maintain.hashing import canonical_json, digest_bytes
from maintain_registry.events import Event, EventKind
from maintain_registry.heads import read_heads
from maintain_registry.ledger import GENESIS, Entry, Ledger
from maintain_registry.signing import Signer

NOTE = Event(EventKind.RUN_PLANNED, "run-1", {"cases": 3})
DECISION = Event(EventKind.VERDICT_REACHED, "run-1", {"outcome": "pass"})


def write(ledger: Ledger, database: Database, *events: Event) -> list[Entry]:
    with ledger.begin(database) as unit:
        return [ledger.append(unit, event) for event in events]


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger set actor = 'x'",
        "delete from ledger",
        "insert or replace into ledger values (1, '', '', '', '', '', '', null, 'x')",
        "replace into ledger select 9, at, actor, event, subject, body, previous, envelope, hash from ledger",
        "insert into ledger values (0, '', '', '', '', '', '', null, 'x')",
    ],
)
def test_the_database_refuses_to_change_an_entry(
    ledger: Ledger, database: Database, tmp_path: Path, statement: str
) -> None:
    write(ledger, database, NOTE)
    connection = sqlite3.connect(tmp_path / "maintain.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_an_actor_is_one_printable_line(ledger: Ledger) -> None:
    with pytest.raises(InputError):
        Ledger(ledger.clock, ledger.signer, "a\nb", ledger.heads)


def test_an_entry_that_is_not_there_is_unknown(ledger: Ledger, database: Database) -> None:
    with database.read() as unit, pytest.raises(UnknownNameError):
        ledger.entry(unit, 1)


def test_a_head_file_that_disagrees_stops_work_before_it_begins(ledger: Ledger, database: Database) -> None:
    write(ledger, database, NOTE, NOTE)
    ledger.heads.write_text(f"1 {'0' * 64}\n")
    with pytest.raises(BrokenChainError) as caught, ledger.begin(database):
        pytest.fail("the work began")
    assert caught.value.entry == 1


def test_a_head_file_without_its_folder_stops_work(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    elsewhere = Ledger(ledger.clock, ledger.signer, "tests", tmp_path / "unmounted" / "ledger.heads")
    with pytest.raises(WorkspaceError, match="not there"), elsewhere.begin(database):
        pytest.fail("the work began")
    assert not (tmp_path / "unmounted").exists()


def test_entries_are_chained_and_only_decisions_are_signed(ledger: Ledger, database: Database) -> None:
    first, second = write(ledger, database, NOTE, DECISION)
    assert (first.number, first.previous, first.envelope) == (1, GENESIS, None)
    assert (second.number, second.previous) == (2, first.hash)
    assert second.envelope is not None
    with database.read() as unit:
        assert ledger.entries(unit) == (first, second)
        assert ledger.entry(unit, 2) == second


def test_an_inspector_needs_only_json_and_sha256(ledger: Ledger, database: Database) -> None:
    """The recipe of the audit guide, spelt out without the house's functions."""
    _, entry = write(ledger, database, NOTE, DECISION)
    assert entry.envelope is not None
    said = json.loads(base64.b64decode(str(entry.envelope["payload"])))
    assert (said["number"], said["body"]["outcome"], said["previous"]) == (2, "pass", entry.previous)
    hashed = json.dumps(
        {**said, "envelope": dict(entry.envelope)}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert digest_bytes(hashed.encode()) == entry.hash


def test_work_that_fails_leaves_neither_entry_nor_head(ledger: Ledger, database: Database) -> None:
    write(ledger, database, NOTE)

    def fail() -> None:
        with ledger.begin(database) as unit:
            ledger.append(unit, DECISION)
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    with database.read() as unit:
        assert len(ledger.entries(unit)) == 1
    assert (read_heads(ledger.heads) or b"").count(b"\n") == 1


def test_a_clock_that_stands_behind_is_believed_and_said(
    ledger: Ledger, database: Database, clock: FrozenClock
) -> None:
    write(ledger, database, NOTE)
    clock.move(seconds=-3600)
    late = write(ledger, database, DECISION)[0]
    assert late.at == "2026-01-01T11:00:00Z"
    assert late.body == {"outcome": "pass", "clock_behind": True}


def test_a_row_that_is_no_entry_is_damage(ledger: Ledger, database: Database, attacker: sqlite3.Connection) -> None:
    write(ledger, database, NOTE)
    for column, value in (("event", "cake-eaten"), ("body", "{"), ("body", "[" * 100_000)):
        attacker.execute(f"update ledger set {column} = ?", (value,))
        with database.read() as unit, pytest.raises(DamagedError):
            ledger.entries(unit)


def test_writers_on_several_threads_make_one_chain(ledger: Ledger, database: Database) -> None:
    workers = [threading.Thread(target=write, args=(ledger, database, NOTE, DECISION)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.read() as unit:
        entries = ledger.entries(unit)
    assert [entry.number for entry in entries] == list(range(1, 9))
    assert (read_heads(ledger.heads) or b"").decode().split("\n")[:-1] == [f"{e.number} {e.hash}" for e in entries]


def test_the_body_is_stored_in_its_canonical_form(
    ledger: Ledger, database: Database, attacker: sqlite3.Connection, signer: Signer
) -> None:
    entry = write(ledger, database, Event(EventKind.SPLIT_DECIDED, "m", {"z": 0.5, "a": "é", "n": None}))[0]
    body, envelope = attacker.execute("select body, envelope from ledger").fetchone()
    assert body == canonical_json({"a": "é", "n": None, "z": 0.5})
    assert envelope == canonical_json(dict(entry.envelope or {}))
    assert json.loads(envelope)["signatures"][0]["keyid"] == signer.key_id
