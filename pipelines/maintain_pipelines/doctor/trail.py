"""Database, ledger and clock: whether the record is sound, anchored, and in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from maintain.clock import Clock, timestamp
from maintain.database.engine import SCHEMA_HEAD, open_any_schema
from maintain.database.inspection import broken_references, faults, missing_triggers
from maintain.settings import Workspace
from maintain_pipelines.doctor.findings import Finding, note, problem, well
from maintain_pipelines.doctor.opening import reading
from maintain_registry import last_entry_time, load_public_key, public_key_path, verify_chain


def check_database(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Whether the file is sound, its references hold, and its schema is this program's."""
    database = open_any_schema(workspace.database, foreign_keys=False)
    try:
        with database.read() as unit:
            wrong, dangling, open_ledger = faults(unit), broken_references(unit), missing_triggers(unit)
    finally:
        database.close()
    repair = "Stop all work, copy the database away, and restore it from a backup."
    if wrong:
        yield problem("database", f"The database is damaged: {len(wrong)} faults, the first: {wrong[0]}", repair)
    if dangling:
        yield problem("database", f"Rows point at rows that are not there: {', '.join(dangling)}.", repair)
    with reading(workspace):
        pass  # refuses another schema
    if open_ledger:
        yield problem(
            "database",
            f"Nothing keeps the ledger from being changed: {', '.join(open_ledger)} was removed.",
            "Ask who did that, compare the ledger with a head file kept elsewhere, and restore a backup.",
        )
    if not (wrong or dangling or open_ledger):
        yield well("database", f"{workspace.database.name} is sound, schema {SCHEMA_HEAD}.")


def check_ledger(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Whether the chain is whole, and where its head file lies."""
    public_key = load_public_key(public_key_path(workspace.signing_key))
    with reading(workspace) as unit:
        report = verify_chain(unit, heads=workspace.ledger_heads, public_keys=(public_key,))
    yield well("ledger", f"The chain is whole: {report.entries} entries, {report.signed} signed.")
    for warning in report.warnings:
        yield note("ledger", warning, "Compare with a copy of the head file that is kept elsewhere.")
    if report.anchored and _on_the_same_disk(workspace):
        yield note(
            "ledger",
            "The head file lies on the same file system as the ledger that it anchors.",
            "Move it off the host and name its place in maintain.toml ([ledger] heads).",
        )


def check_clock(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """The clock against the last entry of the ledger."""
    now = timestamp(clock.now())
    with reading(workspace) as unit:
        last = last_entry_time(unit)
    if last is not None and now < last:
        behind = int((datetime.fromisoformat(last) - datetime.fromisoformat(now)).total_seconds())
        yield problem(
            "clock",
            f"The clock jumped back: it says {now}, {behind} seconds before the last ledger entry ({last}).",
            "Set the clock (NTP) before anything is decided; entries written now are marked as out of order.",
        )
    else:
        yield well("clock", f"It is {now}; the last ledger entry is of {last or 'no time yet'}.")


# --- private ---------------------------------------------------------------------------------------


def _on_the_same_disk(workspace: Workspace) -> bool:
    return workspace.ledger_heads.stat().st_dev == workspace.database.stat().st_dev
