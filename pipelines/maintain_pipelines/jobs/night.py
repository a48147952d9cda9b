"""One call of scheduled work: every job that is due, each once, whatever becomes of the one before it.

Two calls may run side by side: a turn belongs to one of them. Whoever ended a turn looks again at what is due, so
that no job is left because the other held its model for a moment. What is due is decided by the time of the call.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from maintain.clock import timestamp
from maintain.errors import InputError, UnknownNameError
from maintain.vocabulary import JobOutcome
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import turns
from maintain_pipelines.jobs.discover import Found, Job, Load, Unreadable, discover
from maintain_pipelines.jobs.heartbeat import beat
from maintain_pipelines.jobs.requests import attend
from maintain_pipelines.jobs.take import Again, Elsewhere, pending, see, take_turn
from maintain_pipelines.jobs.told import Night, TurnTold
from maintain_pipelines.jobs.turns import Turn
from maintain_pipelines.jobs.webhook import tell_webhook
from maintain_pipelines.jobs.work import Ending, handle
from maintain_pipelines.wording import check_reason


def run_due(context: Context, *, load: Load, only: str | None = None, again: Again | None = None) -> Night:
    """Handle every due job, or only the one named, in order of due moment and name.

    What a job comes to is told, never raised. Raises `InputError` for a job that nobody knows, or for a reason that
    may not be written down.
    """
    if again is not None:
        check_reason(again.reason, context)
        only = again.job
    now = context.clock.now()
    found = chosen(discover(context.workspace.policies, load), only)
    see(found.jobs, context, now=now)
    before = attend(context)
    following = min((job.schedule.following(now) for job in found.jobs), default=None)
    night = Night(timestamp(now), None, (), (), before, None if following is None else timestamp(following))
    _sign(night, context)
    call = _Call(context, now, night, found.jobs, again)
    while call.round():
        pass
    call.leave_what_others_did()
    after = attend(context)
    night = replace(
        night,
        ended=timestamp(context.clock.now()),
        turns=(*map(_unreadable, found.unreadable), *call.told.values()),
        elsewhere=call.elsewhere,
        requests=replace(after, closed=(*before.closed, *after.closed)),
        interrupted=call.interrupted,
    )
    _sign(night, context)
    return night


def chosen(found: Found, only: str | None) -> Found:
    """The one job that was named, or all there is. Raises `UnknownNameError` that lists the jobs."""
    if only is None:
        return found
    jobs = tuple(job for job in found.jobs if job.name == only)
    if not jobs and found.unreadable:
        raise InputError(
            f"There is no job called {only!r} among the policies that can be read.",
            remedy=f"`maintain jobs due` says what is wrong with {', '.join(one.file for one in found.unreadable)}.",
        )
    if not jobs:
        raise UnknownNameError("job", only, [job.name for job in found.jobs])
    return Found(jobs, ())


# --- private ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    """What one call has done so far."""

    context: Context
    now: datetime
    night: Night
    jobs: tuple[Job, ...]
    again: Again | None
    told: dict[tuple[str, str], TurnTold] = field(default_factory=dict)
    unsettled: set[tuple[str, str]] = field(default_factory=set)
    elsewhere: tuple[str, ...] = ()
    interrupted: bool = False

    def round(self) -> bool:
        """Go through what is due now. Whether a turn ended by it, so that another round may find more."""
        ended, elsewhere = False, list[str]()
        for job in pending(self.jobs, self.context, now=self.now, again=self.again):
            if self.context.stop():
                self.interrupted = True
                break
            turn = take_turn(job, self.context, now=self.now, again=self.again)
            if isinstance(turn, Elsewhere):
                elsewhere.append(job.name)
            elif turn is not None:
                self.again = None if turn.asked else self.again
                ending = handle(job, turn, self.context)
                key = (job.name, turn.due)
                self.told[key] = _told(turn, ending)
                (self.unsettled.discard if ending.settled else self.unsettled.add)(key)
                beat(replace(self.night, turns=tuple(self.told.values())), self.context)
                ended = ended or ending.settled
                self.interrupted = self.interrupted or ending.interrupted
        self.elsewhere = tuple(elsewhere)
        return ended and not self.interrupted

    def leave_what_others_did(self) -> None:
        """A turn that had to wait here and that another process ended meanwhile is its to tell."""
        with self.context.database.read() as unit:
            gone = [key for key in sorted(self.unsettled) if not turns.is_open(unit, *key)]
        for key in gone:
            del self.told[key]
        self.elsewhere = tuple(sorted({*self.elsewhere, *(job for job, _ in gone)}))


def _sign(night: Night, context: Context) -> None:
    """A sign of life; the webhook hears of the end of a call in which anything happened."""
    happened = night.ended is not None and bool(night.turns or night.requests.closed)
    beat(night, context, webhook=tell_webhook(night, context) if happened else None)


def _unreadable(file: Unreadable) -> TurnTold:
    return TurnTold(file.file, None, 0, JobOutcome.BAD_INPUT, None, file.told)


def _told(turn: Turn, ending: Ending) -> TurnTold:
    due = None if turn.asked else turn.due
    return TurnTold(turn.job, due, turn.missed, ending.outcome, ending.run, ending.told)
