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


def pending(jobs: Iterable[Job], context: Context, *, now: datetime, again: Again | None = None) -> tuple[Job, ...]:
    """The jobs that have something to do, by their moment and name."""
    with context.database.read() as unit:
        asked = [(_moment(job, turns.standing_of(unit, job.name), now, again), job) for job in jobs]
    found = [(moment, job.name, job) for moment, job in asked if moment is not None]
    return tuple(job for _, _, job in sorted(found, key=lambda one: one[:2]))


def due_of(job: Job, standing: Standing, now: datetime) -> Due | None:
    """The moment of a job that is due and was never taken."""
    since = standing.since or counts_from(job.laid, now)
    return due_moment(job.schedule, since=since, handled=standing.handled, now=now)


def take_turn(job: Job, context: Context, *, now: datetime, again: Again | None = None) -> Turn | Elsewhere | None:
    """The turn of a job that this process shall handle, taken in one transaction; None where nothing is due.

    A turn that was left open comes first. One that a person asked for stands for every moment up to now.
    """
    lease = context.workspace.settings.runs.lease_seconds
    asked = again is not None and again.job == job.name
    with context.ledger.begin(context.database) if asked else context.database.begin() as unit:
        turns.shorten(unit, lease)
        standing = turns.standing_of(unit, job.name)
        if standing.since is None:
            turns.enter(unit, job.name, counts_from(job.laid, now))
        if standing.open is not None:
            if standing.open.held:
                return Elsewhere(job.name)
            return turns.take_over(unit, job.name, standing.open, lease_seconds=lease)
        due = due_of(job, standing, now)
        if again is not None and asked:
            due = Due(turns.free_moment(unit, job.name, now), 0 if due is None else due.missed + 1)
            _record(unit, job, due, again, context)
        if due is None:
            return None
        return turns.take(unit, job.name, due, now=now, lease_seconds=lease, asked=asked)


# --- private ---------------------------------------------------------------------------------------


def _moment(job: Job, standing: Standing, now: datetime, again: Again | None) -> datetime | None:
    if standing.open is not None:
        return standing.open.due
    due = due_of(job, standing, now)
    if due is None:
        return now if again is not None and again.job == job.name else None
    return due.moment


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
