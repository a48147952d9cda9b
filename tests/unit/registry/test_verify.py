from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maintain.clock import FrozenClock
from maintain.database import Database
from maintain.errors import BrokenChainError
from maintain.hashing import canonical_json
from maintain_registry.events import Event, EventKind
from maintain_registry.ledger import PAYLOAD_TYPE, Ledger, entry_hash, payload
from maintain_registry.signing import Signer
from maintain_registry.verify import AuditReport, verify_chain

EVENTS = (
    Event(EventKind.WORKSPACE_CREATED, "workspace", {}),
    Event(EventKind.SPLIT_DECIDED, "fundus-triage", {"train": 70}),
    Event(EventKind.SNAPSHOT_TAKEN, "base", {"cases": 10, "site": "Köln"}),
    Event(EventKind.VERDICT_REACHED, "run-1", {"outcome": "pass"}),
    Event(EventKind.RUN_PLANNED, "run-2", {"cases": 3}),
)
COLUMNS = ("number", "at", "actor", "event", "subject", "body", "previous", "envelope", "hash")

Verify = Callable[[], AuditReport]


@pytest.fixture
def written(ledger: Ledger, database: Database, clock: FrozenClock) -> None:
    for event in EVENTS:
        with ledger.begin(database) as unit:
            ledger.append(unit, event)
        clock.move(seconds=60)


@pytest.fixture
def verify(written: None, ledger: Ledger, database: Database) -> Verify:
    def run() -> AuditReport:
        with database.read() as unit:
            return verify_chain(unit, heads=ledger.heads, public_keys=[ledger.signer.public])

    return run


def broken_at(verify: Verify) -> int:
    with pytest.raises(BrokenChainError) as caught:
        verify()
    assert str(caught.value.entry) in caught.value.message
    return caught.value.entry


def rewrite(attacker: sqlite3.Connection, start: int, signer: Signer | None, **changes: Any) -> None:
    """Change one entry and recompute everything after it, as somebody with the source code would."""
    attacker.row_factory = sqlite3.Row
    rows = [dict(row) for row in attacker.execute("select * from ledger order by number")]
    previous = rows[start - 2]["hash"] if start > 1 else "0" * 64
    assigned = ", ".join(f"{name} = :{name}" for name in COLUMNS)
    for row in rows[start - 1 :]:
        parsed = {name: json.loads(row[name] or "null") for name in ("body", "envelope")}
        columns = {**row, **parsed, "previous": previous, **(changes if row["number"] == start else {})}
        if signer is not None and columns["envelope"] is not None:
            columns["envelope"] = signer.sign(PAYLOAD_TYPE, payload(columns))
        previous = columns["hash"] = entry_hash(columns)
        columns["body"] = canonical_json(columns["body"])
        columns["envelope"] = canonical_json(columns["envelope"]) if columns["envelope"] else None
        attacker.execute(f"update ledger set {assigned} where number = :number", columns)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_of_any_column(verify: Verify, attacker: sqlite3.Connection, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(EVENTS)), label="number")
    names = [name for name in COLUMNS[1:] if name != "envelope" or EVENTS[number - 1].kind.decides]
    column = data.draw(st.sampled_from(names), label="column")
    query = f"select cast({column} as blob) from ledger where number = ?"
    (original,) = attacker.execute(query, (number,)).fetchone()
    place = data.draw(st.integers(0, len(original) - 1), label="byte")
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != original[place]), label="value")
    changed = original[:place] + bytes([byte]) + original[place + 1 :]
    update = f"update ledger set {column} = cast(? as text) where number = ?"
    attacker.execute(update, (changed, number))
    try:
        assert broken_at(verify) == number
    finally:
        attacker.execute(update, (original, number))
    assert verify().entries == len(EVENTS)


@pytest.mark.parametrize(
    ("statement", "entry"),
    [
        ("update ledger set number = 9 where number = 3", 3),
        ("update ledger set number = 0 where number = 1", 1),
        ("delete from ledger where number = 2", 2),
        ("delete from ledger where number = 5", 5),
        ("delete from ledger where number >= 4", 4),
        ("delete from ledger", 1),
        ("update ledger set number = case number when 2 then -3 else -2 end where number in (2, 3)", 1),
        ("update ledger set body = cast(body as blob) where number = 3", 3),
        ("update ledger set subject = 7 where number = 3; ", 3),
        ("update ledger set envelope = null where number = 2", 2),
        ("update ledger set envelope = '{}' where number = 3", 3),
        ("update ledger set body = ' ' || body where number = 3", 3),
        ('update ledger set body = \'{"cases":10,"cases":10,"site":"Köln"}\' where number = 3', 3),
        ("update ledger set body = '[]' where number = 3", 3),
        ("update ledger set body = '{\"a\":NaN}' where number = 3", 3),
        ("update ledger set body = replace(hex(zeroblob(100000)), '0', '[') where number = 3", 3),
        ("update ledger set body = cast(x'7bff7d' as text) where number = 3", 3),
    ],
)
def test_raw_changes_name_the_first_entry(
    verify: Verify, attacker: sqlite3.Connection, statement: str, entry: int
) -> None:
    attacker.execute(statement)
    assert broken_at(verify) == entry


def test_a_reordered_pair(verify: Verify, attacker: sqlite3.Connection) -> None:
    attacker.execute("update ledger set number = -number where number in (2, 3)")
    attacker.execute("update ledger set number = 5 + number where number in (-2, -3)")
    assert broken_at(verify) == 2


@pytest.mark.parametrize("start", [1, 3, 5])
def test_a_note_that_was_changed_and_recomputed_disagrees_with_its_head(
    verify: Verify, attacker: sqlite3.Connection, start: int
) -> None:
    rewrite(attacker, start, None, body={"cases": 4})
    assert broken_at(verify) == start


def test_without_heads_the_next_signature_still_gives_it_away(
    verify: Verify, ledger: Ledger, attacker: sqlite3.Connection
) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 3, None, body={"cases": 4})
    assert broken_at(verify) == 4


def test_a_chain_that_was_signed_anew_by_an_unknown_key(
    verify: Verify, ledger: Ledger, attacker: sqlite3.Connection
) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 2, Signer(Ed25519PrivateKey.generate()), body={"train": 0})
    assert broken_at(verify) == 2


def test_a_decision_renamed_to_a_note_still_has_its_old_envelope(
    verify: Verify, ledger: Ledger, attacker: sqlite3.Connection
) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 4, None, event="run-planned")
    assert broken_at(verify) == 4


def test_a_decision_without_its_envelope(verify: Verify, ledger: Ledger, attacker: sqlite3.Connection) -> None:
    ledger.heads.unlink()
    attacker.execute("update ledger set envelope = null where number = 4")
    rewrite(attacker, 4, None)
    assert broken_at(verify) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "run-planned", "body": {"clock_behind": True}},
        {"at": "2025-01-01T00:00:00Z"},
        {"at": "tomorrow"},
        {"at": "2026-01-01T12:04:00+00:00"},
    ],
)
def test_times_and_words_that_the_ledger_never_writes(
    verify: Verify, ledger: Ledger, attacker: sqlite3.Connection, changes: dict[str, Any]
) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 5, None, **changes)
    assert broken_at(verify) == 5


def test_a_link_to_another_past(verify: Verify, ledger: Ledger, attacker: sqlite3.Connection) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 5, None, previous="0" * 64)
    assert broken_at(verify) == 5


def test_an_event_that_nobody_knows(verify: Verify, ledger: Ledger, attacker: sqlite3.Connection) -> None:
    ledger.heads.unlink()
    rewrite(attacker, 5, None, event="cake-eaten")
    assert broken_at(verify) == 5


@pytest.mark.parametrize(("lines", "entry"), [(["1 x"], 1), (["", ""], 1), (["1 {1}", "two"], 2)])
def test_malformed_head_lines(verify: Verify, ledger: Ledger, database: Database, lines: list[str], entry: int) -> None:
    with database.read() as unit:
        hashes = {str(item.number): item.hash for item in ledger.entries(unit)}
    text = "\n".join(lines).replace("{1}", hashes["1"]) + "\n"
    ledger.heads.write_text(text)
    assert broken_at(verify) == entry


def test_heads_that_are_behind_leave_a_warning_and_no_anchor(verify: Verify, ledger: Ledger) -> None:
    whole = ledger.heads.read_bytes()
    for cut in (whole[: whole.index(b"\n5 ") + 1], whole[: whole.index(b"\n5 ") + 20], whole[:-1]):
        ledger.heads.write_bytes(cut)
        report = verify()
        assert not report.anchored
        assert "ends at entry 4" in report.warnings[0]


def test_without_a_head_file_the_chain_holds_and_is_not_anchored(verify: Verify, ledger: Ledger) -> None:
    ledger.heads.unlink()
    report = verify()
    assert (report.entries, report.anchored) == (5, False)
    assert report.warnings


def test_without_the_key_a_signed_entry_is_not_believed(verify: Verify, ledger: Ledger, database: Database) -> None:
    with database.read() as unit, pytest.raises(BrokenChainError) as caught:
        verify_chain(unit, heads=ledger.heads, public_keys=[])
    assert caught.value.entry == 2


def test_an_honest_ledger(verify: Verify, ledger: Ledger, database: Database, clock: FrozenClock) -> None:
    expected = AuditReport(5, 2, True, "2026-01-01T12:00:00Z", "2026-01-01T12:04:00Z", ())
    assert verify() == expected
    clock.move(seconds=-7200)
    with ledger.begin(database) as unit:
        ledger.append(unit, EVENTS[0])
    report = verify()
    assert report.anchored
    assert report.warnings == ("Entry 6: the clock stood behind the entry before it.",)


def test_an_empty_ledger_is_whole_and_not_anchored(ledger: Ledger, database: Database) -> None:
    with database.read() as unit:
        report = verify_chain(unit, heads=ledger.heads, public_keys=[])
    assert (report.entries, report.anchored, report.first) == (0, False, None)
