"""What was promised and has a date: requests of people, and scheduled work that somebody must call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from maintain.clock import Clock
from maintain.cohort import coverage
from maintain.database import tables
from maintain.requests import RequestStore, deadline_of
from maintain.settings import Workspace
from maintain_pipelines.doctor.findings import Finding, note, problem, well
from maintain_pipelines.doctor.opening import reading

#: How long after a due moment nobody need have called: a night's run before it may take that long.
PATIENCE = timedelta(days=1)


def check_requests(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Requests by their dates, and whether a search for a person would find everybody."""
    with reading(workspace) as unit:
        waiting, reach = RequestStore(unit).unfinished(), coverage(unit)
    today, warn = clock.now().date(), workspace.settings.requests.warn_days
    stand = [(one.name, deadline_of(one.due, today, warn_days=warn)) for one in waiting]
    overdue = [name for name, deadline in stand if deadline.overdue]
    soon = [name for name, deadline in stand if deadline.soon]
    if overdue:
        yield problem(
            "requests", f"Overdue: {', '.join(overdue)}.", "`maintain request show NAME` says what is missing."
        )
    if soon:
        yield note("requests", f"Due soon: {', '.join(soon)}.", "`maintain request show NAME` says what is missing.")
    for said in reach.told():
        what, _, repair = said.partition(": ")
        doubt = f"Nobody could be said not to be in the cohort: {what}."
        yield note("requests", doubt, f"{repair[:1].upper()}{repair[1:]}")
    if not overdue:
        yield well("requests", f"Requests that are not done: {len(waiting)}; none is overdue.")


def check_jobs(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Whether somebody calls for scheduled work, by the heartbeat that the last call left."""
    with reading(workspace) as unit:
        known = len(unit.rows(select(tables.job.c.job)))
    if not known:
        yield well("jobs", "No policy was ever scheduled.")
        return
    try:
        left = json.loads(workspace.heartbeat.read_text(encoding="utf-8"))
        ended, following = left["ended"], left["following"]
    except (OSError, ValueError, KeyError, TypeError):
        yield problem(
            "jobs",
            f"Jobs that are known: {known}; the heartbeat file is missing or broken.",
            "Say `maintain jobs run-due`; it writes a new one. A monitor that watched the old one should have rung.",
        )
        return
    if isinstance(following, str) and datetime.fromisoformat(following) + PATIENCE < clock.now():
        yield problem(
            "jobs",
            f"Work was due at {following}, and nobody called for it; the last call ended {ended or 'never'}.",
            "See whether cron, the timer or the CronJob still runs `maintain jobs run-due`.",
        )
    else:
        yield well("jobs", f"Jobs that are known: {known}; the last call ended {ended or 'not yet'}.")
