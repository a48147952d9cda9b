"""The turns of jobs: each due moment is taken by one process, in one transaction, and kept by a lease.

A turn without an end whose process is gone is taken over by the next that comes; what it had begun is in `run`.
Whoever was taken over finds another owner at its next write and stops there.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from maintain.clock import timestamp
from maintain.database import Database, UnitOfWork
from maintain.database.daily_tables import job as jobs
from maintain.database.daily_tables import turn as turns
from maintain.database.tables import run as runs
from maintain.errors import MaintainError, TakenOverError
from maintain.vocabulary import JobOutcome
from maintain_pipelines.claims import LEAVE_SECONDS, RENEWALS, new_owner, surely_gone
from maintain_pipelines.jobs.due import Due


@dataclass(frozen=True, slots=True)
class Turn:
    """One due moment of a job in the hands of this process. `run` is what an earlier process began for it.

    `asked`: a person let it run now, whether it was due or held back.
    """

    job: str
    due: str
    missed: int
    owner: str
    run: str | None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A turn without an end. `run` has begun for it; `held`: a process that may be alive works on it."""

    due: datetime
    missed: int
    run: str | None
    held: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a job: from when on its moments count, the last that was taken, the turn without an end."""

    since: datetime | None
    handled: datetime | None
    open: OpenTurn | None


def standing_of(unit: UnitOfWork, job: str) -> Standing:
    """What the tables say of a job; a job that was never seen has no `since`."""
    since = unit.scalar(select(jobs.c.since).where(jobs.c.job == job))
    handled = unit.scalar(select(func.max(turns.c.due)).where(turns.c.job == job))
    row = unit.row(select(turns).where(turns.c.job == job, turns.c.ended.is_(None)).order_by(turns.c.due))
    left = None
    if row is not None:
        begun = unit.scalar(select(runs.c.run).where(runs.c.run == row.run))
        left = OpenTurn(datetime.fromisoformat(row.due), row.missed, begun, _held(row, unit.seconds()))
    return Standing(_moment(since), _moment(handled), left)


def enter(unit: UnitOfWork, job: str, since: datetime) -> None:
    """Write down a job that is seen for the first time; one that is known stays as it is."""
    if unit.scalar(select(jobs.c.since).where(jobs.c.job == job)) is None:
        unit.execute(insert(jobs), {"job": job, "since": timestamp(since)})


def take(unit: UnitOfWork, job: str, due: Due, *, now: datetime, lease_seconds: float, asked: bool = False) -> Turn:
    """Take a due moment that nobody took before."""
    turn = Turn(job, timestamp(due.moment), due.missed, new_owner(), None, asked)
    values = {"job": job, "due": turn.due, "missed": turn.missed, "began": timestamp(now), "owner": turn.owner}
    unit.execute(insert(turns), {**values, "lease_until": unit.seconds() + lease_seconds})
    return turn


def take_over(
    unit: UnitOfWork, job: str, left: OpenTurn, due: Due, *, lease_seconds: float, asked: bool = False
) -> Turn:
    """Go on with a turn that no process holds any more, for the moment that it was left at or a later one."""
    turn = Turn(job, timestamp(due.moment), due.missed, new_owner(), left.run, asked)
    values = {"due": turn.due, "missed": turn.missed, "owner": turn.owner}
    mine = (turns.c.job == job) & (turns.c.due == timestamp(left.due))
    unit.execute(update(turns).where(mine).values({**values, "lease_until": unit.seconds() + lease_seconds}))
    return turn


def free_moment(unit: UnitOfWork, job: str, now: datetime) -> datetime:
    """The first second from now on that no turn of the job stands for."""
    taken = {row.due for row in unit.rows(select(turns.c.due).where(turns.c.job == job))}
    moment = now.replace(microsecond=0)
    while timestamp(moment) in taken:
        moment += timedelta(seconds=1)
    return moment


def shorten(unit: UnitOfWork, lease_seconds: float) -> None:
    """A clock that was set back must not lengthen a lease: none ends later than a whole lease from now."""
    until = unit.seconds() + lease_seconds
    unit.execute(update(turns).where(turns.c.lease_until > until).values(lease_until=until))


@contextmanager
def kept(database: Database, turn: Turn, *, lease_seconds: float) -> Iterator[None]:
    """Renew the lease while the block runs. Afterwards a turn that was not ended is anybody's."""
    leaving = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, turn, lease_seconds, leaving), daemon=True)
    heart.start()
    try:
        yield
    finally:
        leaving.set()
        heart.join(LEAVE_SECONDS)
        with contextlib.suppress(MaintainError, SQLAlchemyError), database.begin() as unit:
            _write(unit, turn, owner=None, lease_until=None)


def name_run(unit: UnitOfWork, turn: Turn, run: str) -> None:
    """Write down which run serves the turn, before it begins. Raises `TakenOverError` when it is too late."""
    _write(unit, turn, run=run)


def end(unit: UnitOfWork, turn: Turn, outcome: JobOutcome, told: str, *, now: datetime) -> None:
    """Write down how a turn ended. Raises `TakenOverError` when it is another's by now."""
    _write(unit, turn, ended=timestamp(now), outcome=outcome.value, told=told)


def run_of(unit: UnitOfWork, turn: Turn) -> str | None:
    """The run that was named for a turn, by this process or an earlier one."""
    found = unit.scalar(select(turns.c.run).where(turns.c.job == turn.job, turns.c.due == turn.due))
    return None if found is None else str(found)


def is_open(unit: UnitOfWork, job: str, due: str) -> bool:
    """Whether a turn is there and has not ended; one that was left may be a later moment's by now."""
    mine = (turns.c.job == job) & (turns.c.due == due) & turns.c.ended.is_(None)
    return unit.scalar(select(turns.c.due).where(mine)) is not None


# --- private ---------------------------------------------------------------------------------------


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _held(row: Row[Any], now: float) -> bool:
    return row.owner is not None and row.lease_until > now and not surely_gone(row.owner)


def _write(unit: UnitOfWork, turn: Turn, **values: object) -> None:
    mine = (turns.c.job == turn.job) & (turns.c.due == turn.due) & (turns.c.owner == turn.owner)
    if not unit.execute(update(turns).where(mine, turns.c.ended.is_(None)).values(values)):
        raise TakenOverError(f"the job {turn.job}", "this process")


def _beat(database: Database, turn: Turn, lease_seconds: float, leaving: threading.Event) -> None:
    """Renew until told to leave or taken over; a renewal that fails is tried again before the lease ends."""
    while not leaving.wait(lease_seconds / RENEWALS):
        try:
            with database.begin() as unit:
                _write(unit, turn, lease_until=unit.seconds() + lease_seconds)
        except TakenOverError:
            return
        except (MaintainError, SQLAlchemyError):
            continue
