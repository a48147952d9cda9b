"""One turn of a job, from taking it to its outcome: a run gone on with, a run begun, or none and why.

Every expected failure becomes an outcome, so that the next job goes on. A run that was named for the turn and that
the journal knows is gone on with; nothing is begun a second time.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from maintain.errors import (
    InputError,
    MaintainError,
    NotEvaluatedError,
    NothingToDoError,
    RefusedError,
    TakenOverError,
    WaitingError,
)
from maintain.vocabulary import JobOutcome, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import turns
from maintain_pipelines.jobs.discover import Job
from maintain_pipelines.jobs.turns import Turn
from maintain_pipelines.jobs.weigh import weigh
from maintain_pipelines.journal import RunRow
from maintain_pipelines.run import RunEnd, resume_run, run_policy


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn was left. Not `settled`: its end is still to come, and the next call goes on with it."""

    outcome: JobOutcome
    told: str
    run: str | None = None
    settled: bool = True
    interrupted: bool = False


def handle(job: Job, turn: Turn, context: Context) -> Ending:
    """Do what is to be done for a turn of this process, and write down how it ended. Raises no expected failure."""
    lease = context.workspace.settings.runs.lease_seconds
    with turns.kept(context.database, turn, lease_seconds=lease):
        ending = _tried(job, turn, context)
        try:
            if ending.settled:
                with context.database.begin() as unit:
                    turns.end(unit, turn, ending.outcome, ending.told, now=context.clock.now())
        except TakenOverError as error:
            return Ending(JobOutcome.WAITING, error.message, ending.run, settled=False)
    return ending


def outcome_of(error: MaintainError) -> JobOutcome:
    """What an expected failure makes of a turn; values that no longer agree are a failure of the program."""
    return next((outcome for kind, outcome in _OF_ERROR if isinstance(error, kind)), JobOutcome.FAILED)


# --- private ---------------------------------------------------------------------------------------

_OF_ERROR = (
    (InputError, JobOutcome.BAD_INPUT),
    (RefusedError, JobOutcome.REFUSED),
    (NotEvaluatedError, JobOutcome.NOT_EVALUATED),
    (NothingToDoError, JobOutcome.NOTHING_TO_DO),
    (WaitingError, JobOutcome.WAITING),
)

_OF_STATE = {
    RunState.REGISTERED: JobOutcome.PASSED,
    RunState.NOTHING_TO_DO: JobOutcome.NOTHING_TO_DO,
    RunState.REJECTED: JobOutcome.REFUSED,
    RunState.UNDECIDED: JobOutcome.NOT_EVALUATED,
    RunState.FAILED: JobOutcome.FAILED,
    RunState.ABANDONED: JobOutcome.REFUSED,
}

_STOPPED = "It was told to stop; the next call goes on with it."


def _tried(job: Job, turn: Turn, context: Context) -> Ending:
    try:
        return _done(job, turn, context)
    except WaitingError as error:
        told = _STOPPED if context.stop() else _spoken(error)
        run = _begun(turn, context)
        return Ending(JobOutcome.WAITING, told, run, settled=False, interrupted=context.stop())
    except MaintainError as error:
        return Ending(outcome_of(error), _spoken(error), _begun(turn, context))
    except Exception as error:  # told by class and place alone: messages of libraries quote what they stumbled over
        context.talk.say(f"{job.name}: {type(error).__name__} at {_place(error)}")
        return Ending(
            JobOutcome.FAILED, f"An error inside the program ({type(error).__name__}).", _begun(turn, context)
        )
    except BaseException:
        if not context.stop():
            raise
        return Ending(JobOutcome.WAITING, _STOPPED, _begun(turn, context), settled=False, interrupted=True)


def _done(job: Job, turn: Turn, context: Context) -> Ending:
    left = _row(turn.run, context)
    if left is not None:
        return _gone_on(left, context)
    weighed = weigh(job.policy, context, again=turn.asked)
    if weighed.outcome is not None:
        return Ending(weighed.outcome, weighed.told, weighed.run, settled=weighed.settled)
    context.talk.say(f"{job.name}: {weighed.told}")

    def named(run: str) -> None:
        with context.database.begin() as unit:
            turns.name_run(unit, turn, run)

    return _of_end(run_policy(job.policy, context, named=named))


def _gone_on(left: RunRow, context: Context) -> Ending:
    """The end of a run that an earlier process began for the turn; one that failed has written all it will."""
    if left.state in (RunState.FAILED, RunState.ABANDONED):
        return Ending(_OF_STATE[left.state], f"The run is {left.state}. {left.error or ''}".strip(), left.run)
    context.talk.say(f"Going on with the run {left.run} ...")
    return _of_end(resume_run(left.run, context))


def _of_end(end: RunEnd) -> Ending:
    if end.registration is not None:
        made = end.registration
        told = f"Registered {made.model} version {made.version} (alias {made.alias}), ledger entry {made.entry}."
    elif end.state is RunState.NOTHING_TO_DO:
        counted = "" if end.suppressed is None else f" {end.suppressed} images newly suppressed."
        told = f"The champion learned from no match.{counted}"
    else:
        told = f"Nothing was registered ({end.state}). {end.verdict.reason if end.verdict else ''}".strip()
    return Ending(_OF_STATE[end.state], told, end.run)


def _begun(turn: Turn, context: Context) -> str | None:
    """The run of a turn, if the journal knows it."""
    with context.database.read() as unit:
        named = turns.run_of(unit, turn)
    row = _row(named, context)
    return None if row is None else row.run


def _row(run: str | None, context: Context) -> RunRow | None:
    with context.database.read() as unit:
        return next((row for row in journal.runs(unit) if row.run == run), None)


def _place(error: Exception) -> str:
    """Where in the code it was raised; without values."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def _spoken(error: MaintainError) -> str:
    return " ".join(f"{error.message} {error.remedy}".split())
