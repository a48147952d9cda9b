"""Taking what is due: which jobs have something to do, in which order, and whose it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from maintain.clock import timestamp
from maintain.database import UnitOfWork
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import turns
from maintain_pipelines.jobs.discover import Job
from maintain_pipelines.jobs.due import Due, counts_from, due_moment
from maintain_pipelines.jobs.turns import Standing, Turn
from maintain_registry import Event, EventKind


@dataclass(frozen=True, slots=True)
class Again:
    """A person lets a job run now, whether it is due or was held back, and says why."""

    job: str
    reason: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another process works on the job."""

    job: str


def see(jobs: Iterable[Job], context: Context, *, now: datetime) -> None:
    """Write down the jobs that were never seen before, and from when on their moments count."""
    with context.database.read() as unit:
        unseen = [job for job in jobs if turns.standing_of(unit, job.name).since is None]
    if unseen:
        with context.database.begin() as unit:
            for job in unseen:
                turns.enter(unit, job.name, counts_from(job.laid, now))


def pending(jobs: Iterable[Job], context: Context, *, now: datetime, again: Again | None = None) -> tuple[Job, ...]:
    """The jobs that have something to do, by their moment and name."""
    found = []
    with context.database.read() as unit:
        for job in jobs:
            due = due_of(job, turns.standing_of(unit, job.name), now)
            if due is not None or _asked(job, again):
                found.append((now if due is None else due.moment, job.name, job))
    return tuple(job for _, _, job in sorted(found, key=lambda one: one[:2]))


def due_of(job: Job, standing: Standing, now: datetime) -> Due | None:
    """What a job has to do: the turn that was left open, or a moment that nobody took.

    A turn that waited without a run until its next moment came is caught up by that one.
    """
    since = standing.since or counts_from(job.laid, now)
    due, left = due_moment(job.schedule, since=since, handled=standing.handled, now=now), standing.open
    if left is None:
        return due
    if due is None or left.held or left.run is not None:
        return Due(left.due, left.missed)
    return Due(due.moment, left.missed + 1 + due.missed)


def take_turn(job: Job, context: Context, *, now: datetime, again: Again | None = None) -> Turn | Elsewhere | None:
    """The turn of a job that this process shall handle, taken in one transaction; None where nothing is due.

    A run that was left comes first. A turn that a person asked for stands for every moment up to now.
    """
    lease = context.workspace.settings.runs.lease_seconds
    asked = _asked(job, again)
    with context.ledger.begin(context.database) if asked else context.database.begin() as unit:
        turns.shorten(unit, lease)
        standing = turns.standing_of(unit, job.name)
        left, due = standing.open, due_of(job, standing, now)
        if left is not None and left.held:
            return Elsewhere(job.name)
        if left is not None and left.run is not None:
            return turns.take_over(unit, job.name, left, Due(left.due, left.missed), lease_seconds=lease)
        if again is not None and asked:
            due = Due(turns.free_moment(unit, job.name, now), 0 if due is None else due.missed + 1)
            _record(unit, job, due, again, context)
        if due is None:
            return None
        if left is not None:
            return turns.take_over(unit, job.name, left, due, lease_seconds=lease, asked=asked)
        return turns.take(unit, job.name, due, now=now, lease_seconds=lease, asked=asked)


# --- private ---------------------------------------------------------------------------------------


def _asked(job: Job, again: Again | None) -> bool:
    return again is not None and again.job == job.name


def _record(unit: UnitOfWork, job: Job, due: Due, again: Again, context: Context) -> None:
    """Say in the ledger who let the job run, why, and after which run."""
    before = [row.run for row in journal.runs(unit) if row.policy_name == job.name]
    body = {
        "job": job.name,
        "reason": again.reason,
        "run_before": before[-1] if before else None,
        "due": timestamp(due.moment),
    }
    context.ledger.append(unit, Event(EventKind.JOB_AGAIN, subject=job.policy.model.name, body=body))
