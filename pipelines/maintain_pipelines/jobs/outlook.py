"""What a call of scheduled work would do, and why: told to people, nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maintain.clock import timestamp
from maintain.errors import MaintainError
from maintain.vocabulary import JobOutcome
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import turns
from maintain_pipelines.jobs.discover import Job, Load, Unreadable, discover
from maintain_pipelines.jobs.take import due_of
from maintain_pipelines.jobs.turns import OpenTurn, Standing
from maintain_pipelines.jobs.weigh import weigh
from maintain_pipelines.jobs.work import outcome_of


@dataclass(frozen=True, slots=True)
class JobOutlook:
    """One job at one moment. `due` is None where nothing is due; `following` comes after the moment asked about.

    Of a due job `outcome` is what it comes to without a run, or None where it would run. `left_open`: an earlier call
    did not end it, and it is gone on with, unless another process works on it (`elsewhere`).
    """

    job: str
    file: str
    model: str
    schedule: str
    zone: str
    due: str | None
    missed: int
    following: str
    left_open: bool
    elsewhere: bool
    outcome: JobOutcome | None
    run: str | None
    told: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """Every job, by due moment and then the next one, and the files of which no job can be made."""

    at: str
    jobs: tuple[JobOutlook, ...]
    unreadable: tuple[Unreadable, ...]


def outlook(context: Context, *, load: Load, at: datetime) -> Outlook:
    """What would be due at a moment, and what would become of it with the cohort and champions as they are now."""
    found = discover(context.workspace.policies, load)
    with context.database.read() as unit:
        standings = {job.name: turns.standing_of(unit, job.name) for job in found.jobs}
    jobs = [_of_job(job, standings, at, context) for job in found.jobs]
    jobs.sort(key=lambda one: (one.due is None, one.due or one.following, one.job))
    return Outlook(timestamp(at), tuple(jobs), found.unreadable)


# --- private ---------------------------------------------------------------------------------------


def _of_job(job: Job, standings: Mapping[str, Standing], at: datetime, context: Context) -> JobOutlook:
    left, due = standings[job.name].open, due_of(job, standings[job.name], at)
    outcome, run, told = None, None, "Not due."
    if left is not None and left.held:
        run, told = left.run, "Another process works on it."
    elif due is not None:
        outcome, run, told = _foreseen(job, left, context)
    return JobOutlook(
        job=job.name,
        file=job.file,
        model=job.policy.model.name,
        schedule=job.schedule.spoken(),
        zone=job.schedule.zone,
        due=None if due is None else timestamp(due.moment),
        missed=0 if due is None else due.missed,
        following=timestamp(job.schedule.following(at)),
        left_open=left is not None,
        elsewhere=left is not None and left.held,
        outcome=outcome,
        run=run,
        told=told,
    )


def _foreseen(job: Job, left: OpenTurn | None, context: Context) -> tuple[JobOutcome | None, str | None, str]:
    """What would become of a due job: the outcome without a run, the run that decides it, and why."""
    if left is not None and left.run is not None:
        return None, left.run, f"An earlier call began the run {left.run}; it is gone on with."
    try:
        weighed = weigh(job.policy, context)
    except MaintainError as error:
        return outcome_of(error), None, " ".join(f"{error.message} {error.remedy}".split())
    return weighed.outcome, weighed.run, weighed.told
