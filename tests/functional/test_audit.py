"""Somebody who may write the database rewrites history; `audit verify` names the first entry that disagrees."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from helpers.commands import say
from maintain_registry.ledger import entry_hash

Tamper = Callable[[sqlite3.Connection], None]


def change_a_byte(ledger: sqlite3.Connection) -> None:
    """The look at the holdout was never this one."""
    ledger.execute("update ledger set body = replace(body, '\"look\":1', '\"look\":0') where number = 9")


def drop_the_tail(ledger: sqlite3.Connection) -> None:
    """The registration never happened."""
    ledger.execute("delete from ledger where number >= 11")


def recompute_from_there_on(ledger: sqlite3.Connection) -> None:
    """A whole new chain from entry 5 on, every hash right."""
    ledger.row_factory = sqlite3.Row
    rows = [dict(row) for row in ledger.execute("select * from ledger where number >= 5 order by number")]
    previous = rows[0]["previous"]
    rows[0]["subject"] = "another-model"
    for row in rows:
        content = {**row, "previous": previous, "body": json.loads(row["body"])}
        content["envelope"] = json.loads(row["envelope"]) if row["envelope"] else None
        found = entry_hash(content)
        ledger.execute(
            "update ledger set subject = ?, previous = ?, hash = ? where number = ?",
            (row["subject"], previous, found, row["number"]),
        )
        previous = found


@pytest.mark.parametrize(("tamper", "entry"), [(change_a_byte, 9), (drop_the_tail, 11), (recompute_from_there_on, 5)])
def test_the_first_entry_that_disagrees_is_named(ended: Path, tamper: Tamper, entry: int) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as ledger:
        for (trigger,) in ledger.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            ledger.execute(f"drop trigger {trigger}")
        tamper(ledger)
    said = say("audit", "verify", workspace=ended)
    assert said.code == 1
    assert said.out == ""
    assert f"ntry {entry}" in said.err


def test_the_ledger_cannot_be_changed_by_accident(ended: Path) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as ledger:
        for statement in ("update ledger set actor = 'x'", "delete from ledger"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                ledger.execute(statement)


def test_without_a_head_file_the_ledger_is_unanchored(ended: Path) -> None:
    (ended / "ledger.heads").unlink()
    said = say("audit", "verify", workspace=ended)
    assert said.code == 0
    assert "Unanchored" in said.out
    assert say("audit", "verify", "--require-anchor", workspace=ended).code == 3


def test_a_registry_that_nobody_touched_is_as_the_ledger_says(ended: Path) -> None:
    said = say("audit", "verify", "--registry", workspace=ended)
    assert (said.code, "is as the ledger says" in said.out) == (0, True), said.out


def test_an_alias_that_somebody_moved_is_named_with_what_to_do(ended: Path) -> None:
    path = ended / "registry/fundus-triage/aliases.json"
    document = json.loads(path.read_bytes())
    document["body"]["champion"] = 2
    path.write_text(json.dumps(document), encoding="utf-8")
    said = say("audit", "verify", "--registry", workspace=ended)
    assert said.code == 1
    (line,) = (line for line in said.out.splitlines() if "alias champion" in line)
    assert "points at version 2; ledger entry" in line
    assert "maintain registry rollback" in line
    told = say("audit", "verify", "--registry", "--json", workspace=ended)
    (found,) = told.document["registry"]["disagreements"]
    assert (told.code, found["kind"], found["where"]) == (1, "alias-moved", "alias champion")
    assert say("audit", "verify", workspace=ended).code == 0


def test_nothing_is_done_on_a_ledger_that_disagrees(ended: Path) -> None:
    heads = ended / "ledger.heads"
    lines = heads.read_text(encoding="utf-8").splitlines()
    heads.write_text("\n".join([*lines[:-1], f"{len(lines)} {'0' * 64}"]) + "\n", encoding="utf-8")
    said = say("cohort", "snapshot", "second", "--model", "fundus-triage", workspace=ended)
    assert said.code == 1
    assert f"ntry {len(lines)}" in said.err
