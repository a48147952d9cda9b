"""Scheduled policies on a small lineage without any training: case number n is of a person n years old."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from helpers.cohorts import fill, make_case
from helpers.commands import say
from helpers.lineage import CASES, install, opened
from helpers.workspaces import new_workspace
from maintain.cli.catalogues import catalogues
from maintain.clock import FrozenClock
from maintain.database import open_database
from maintain.database.daily_tables import turn as turns
from maintain.database.tables import run as runs
from maintain.settings import find_workspace
from maintain.vocabulary import RunState
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import Load
from maintain_pipelines.select import preview
from maintain_policies import load_policy

#: When the policy files were laid down.
LAID = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)

#: The first call that finds it due, and the time to the next night.
NIGHT = datetime.fromisoformat("2026-03-03T03:05:00Z")
DAY = timedelta(days=1)

#: Every night at three.
NIGHTLY = "0 3 * * *"

#: Cases that the champion learned from, and those that nobody did.
LEARNED, UNSEEN = range(1, 21), range(31, CASES + 1)

POLICY = """\
version: 1
name: {name}
owner: imaging-ai@hospital.example
reason: {reason}
claim: never-saw
model: {{name: triage}}
forget:
  where: {{patient.age: {age}}}
limits: {{max_percent: 100}}
unlearn: {{methods: [retrain], seed: 11}}
gates: [default]
schedule: {{cron: "{cron}", zone: {zone}}}
"""


def make_scheduled(root: Path) -> Path:
    """A workspace with a champion, and no policy yet."""
    new_workspace(root, pseudonym_key=bytes(range(32)))
    database = open_database(root / "maintain.db")
    with database.begin() as unit:
        fill(unit, [make_case(number, age=number) for number in range(1, CASES + 1)])
    database.close()
    with opened(root) as context:
        install(context)
    return root


def lay(
    root: Path,
    name: str,
    *,
    age: int = UNSEEN[0],
    cron: str = NIGHTLY,
    zone: str = "UTC",
    reason: str = "outlier",
    laid: datetime = LAID,
    file: str | None = None,
) -> Path:
    """Lay a scheduled policy down at a moment."""
    path = find_workspace(root).policies / (file or f"{name}.yaml")
    path.parent.mkdir(exist_ok=True)
    text = POLICY.format(name=name, age=age, cron=cron, zone=zone, reason=reason)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (laid.timestamp(), laid.timestamp()))
    return path


@contextmanager
def at(root: Path, moment: datetime) -> Iterator[tuple[Context, FrozenClock]]:
    """The workspace at a moment, with the clock that says so."""
    clock = FrozenClock(moment)
    with opened(root) as context:
        yield replace(context, clock=clock, ledger=replace(context.ledger, clock=clock)), clock


def rows(root: Path) -> list[tuple[str, str, int, str | None]]:
    """Every turn: its job and moment, how many it caught up, how it ended."""
    with at(root, NIGHT) as (context, _), context.database.read() as unit:
        found = unit.rows(select(turns).order_by(turns.c.due, turns.c.job))
    return [(row.job, row.due, row.missed, row.outcome) for row in found]


def record(root: Path, name: str, state: RunState, age: int, moment: datetime = NIGHT) -> None:
    """A run of the policy on the cohort and champion as they are."""
    with at(root, moment) as (context, _):
        plan = preview(load()(context.workspace.policies / f"{name}.yaml"), context).selection.plan
        values = {
            "run": f"run-{state}",
            "model": plan.model,
            "policy": plan.policy,
            "policy_name": name,
            "champion": plan.champion.weights,
            "state": state.value,
            "slot": 1,
            "roles": plan.roles,
            "started": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "changed": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }
        with context.database.begin() as unit:
            unit.execute(insert(runs), values)


def call_together(root: str, processes: str) -> None:
    """Call for what is due in so many processes at once, forked from this one; each leaves what it answered."""
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                said = say("jobs", "run-due", "--json", workspace=Path(root))
                answered(Path(root), number).write_text(said.out or said.err, encoding="utf-8")
                code = said.code
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(codes), f"processes that failed: {codes}"


def answered(root: Path, number: int) -> Path:
    """Where such a process leaves its answer."""
    return root.with_name(f"night-{number}.json")


def load() -> Load:
    """What reads a policy file."""
    known = catalogues()
    return lambda path: load_policy(path, known)
