"""How a run stops before its end: interrupted, failed, stale, or given up. Each leaves a way on.

What stopped the run always reaches the caller; an error while recording it is only added to it. A
process that was taken over records nothing, because the run is no longer its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maintain.errors import (
    InterruptedRunError,
    MaintainError,
    StaleError,
    TakenOverError,
    WaitingError,
    WorkspaceError,
)
from maintain.hashing import Digest
from maintain.vocabulary import RunState
from maintain_pipelines import journal
from maintain_pipelines.claims import Claim, guard, hold
from maintain_pipelines.context import Context
from maintain_pipelines.report import write_report
from maintain_pipelines.rundir import RunFolder
from maintain_pipelines.runlog import log_error
from maintain_pipelines.states import check_move, is_end
from maintain_pipelines.weight_places import clear_checkpoints
from maintain_registry import Event, EventKind
from maintain_registry import abandon as abandon_registration


def abandon_run(run: str, context: Context) -> None:
    """Give a run up. Raises `HeldError` while it is under way, `IllegalMoveError` when it has ended."""
    with context.database.read() as unit:
        row = journal.get(unit, run)
    check_move(row.state, RunState.ABANDONED)
    with hold(context.database, row.model, run, lease_seconds=context.workspace.settings.runs.lease_seconds) as claim:
        folder = RunFolder(context.workspace.runs / run, guard=guard(context.database, claim))
        abandon_registration(context.database, context.store, f"run:{run}")
        end(claim, RunState.ABANDONED, "It was given up.", context)
        _leave(claim, RunState.ABANDONED, folder, context)


@contextmanager
def recorded(claim: Claim, folder: RunFolder, context: Context) -> Iterator[None]:
    """Record how the block stopped, if it did, and raise that for the caller with a way on.

    What stopped a run before the journal knew it goes through as it is.
    """
    try:
        yield
    except TakenOverError:
        raise
    except WaitingError as error:
        if not _begun(claim, context):
            raise
        raise InterruptedRunError(claim.holder, error.message) from error
    except Exception as error:
        _refuse_fenced(claim, error, context)
        state = RunState.ABANDONED if isinstance(error, StaleError) else RunState.FAILED
        way_on = _record(claim, state, error, folder, context)
        if isinstance(error, OSError):
            raise _unusable(claim.holder, error, way_on) from error
        if way_on is not NOT_BEGUN:
            context.talk.say(way_on)
        raise
    except BaseException as error:
        if not _begun(claim, context):
            raise
        raise InterruptedRunError(claim.holder, "It was told to stop.") from error


def end(claim: Claim, state: RunState, reason: str, context: Context, *, digest: Digest | None = None) -> None:
    """Move a run to an end without a version, and write that into the ledger."""
    with context.ledger.begin(context.database) as unit:
        journal.move(unit, claim, state, now=context.clock.now(), digest=digest, error=reason)
        body = {"run": claim.holder, "state": state.value, "reason": reason}
        context.ledger.append(unit, Event(EventKind.RUN_ENDED, subject=claim.model, body=body))


# --- private ---------------------------------------------------------------------------------------

#: The way on where the journal does not know the run: nothing has changed.
NOT_BEGUN = "It was not begun, and nothing has changed. Mend the cause and say the same command again."


def _begun(claim: Claim, context: Context) -> bool:
    """Whether the journal knows the run. Only the rows are asked, so that it can be told while stopping."""
    with context.database.read() as unit:
        return any(row.run == claim.holder for row in journal.runs(unit))


def _unusable(run: str, error: OSError, remedy: str) -> WorkspaceError:
    """What the disk refused, without saying where: a path may name what must not be named."""
    why = error.strerror or type(error).__name__
    return WorkspaceError(f"The run {run} could not use the files of its workspace ({why}).", remedy=remedy)


def _refuse_fenced(claim: Claim, error: Exception, context: Context) -> None:
    """Whoever was taken over trips over what the other process did; then only the taking over is told."""
    try:
        guard(context.database, claim)()
    except TakenOverError as fenced:
        raise fenced from error
    except Exception as second:
        error.add_note(f"Nobody could say whether the run is still held ({type(second).__name__}).")


def _record(claim: Claim, state: RunState, error: Exception, folder: RunFolder, context: Context) -> str:
    """End the run for this error, as far as the disk lets it, and say how to go on."""
    run = claim.holder
    log_error(folder, context.clock, error)
    said = error.message if isinstance(error, MaintainError) else type(error).__name__
    try:
        if not _begun(claim, context):
            return NOT_BEGUN
        with context.database.read() as unit:
            present = journal.get(unit, run).state
        if is_end(present):
            return f"The run {run} is {present}. `maintain run --resume {run}` writes what is missing of it."
        end(claim, state, said, context)
    except Exception as second:
        error.add_note(f"That could not be recorded ({type(second).__name__}).")
        return (
            f"The journal could not be told. Mend the cause; then `maintain run --resume {run}` goes on "
            f"and `maintain runs abandon {run}` gives it up."
        )
    for note in _leave(claim, state, folder, context):
        error.add_note(note)
    return (
        f"The run {run} is {state}; its folder stays, and `maintain runs show {run}` tells of it. "
        "Mend the cause and say `maintain run POLICY` again."
    )


def _leave(claim: Claim, state: RunState, folder: RunFolder, context: Context) -> tuple[str, ...]:
    """The last files of an ended run: a line of its log, no checkpoint, a report. Says which could not be written."""
    steps: dict[str, Callable[[], object]] = {
        "log": lambda: folder.log(context.clock, state.value),
        "checkpoint": lambda: clear_checkpoints(folder, context),
        "report": lambda: write_report(claim.holder, folder, context),
    }
    notes = []
    for name, step in steps.items():
        try:
            step()
        except Exception as error:
            notes.append(f"The {name} of the run could not be brought to its end ({type(error).__name__}).")
    return tuple(notes)
