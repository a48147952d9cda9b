"""Exit codes: a pure function of what happened, from one table.

Schedulers act on these numbers, so they are part of the product: a gate that failed (1) must never
look like a typing mistake (2) or a crash (4).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from maintain import errors
from maintain.vocabulary import JobOutcome, Outcome, RunState


class ExitCode(IntEnum):
    """What the process tells its caller."""

    PASSED = 0
    """Everything asked for was done and, where there were gates, they passed."""
    REFUSED = 1
    """A gate failed, or the answer is no."""
    BAD_INPUT = 2
    """Wrong usage, policy or input."""
    NOT_EVALUATED = 3
    """Not shown either way."""
    INTERNAL = 4
    """An error of the program, or stored values that no longer agree."""
    NOTHING_TO_DO = 5
    """No serving version learned from any matching case."""
    WAITING = 6
    """Somebody else must act or finish first; interrupted."""


#: When several apply, the first of these wins.
PRECEDENCE = (
    ExitCode.INTERNAL,
    ExitCode.BAD_INPUT,
    ExitCode.REFUSED,
    ExitCode.NOT_EVALUATED,
    ExitCode.WAITING,
    ExitCode.PASSED,
    ExitCode.NOTHING_TO_DO,
)

_OF_ERROR: tuple[tuple[type[errors.MaintainError], ExitCode], ...] = (
    (errors.InputError, ExitCode.BAD_INPUT),
    (errors.RefusedError, ExitCode.REFUSED),
    (errors.NotEvaluatedError, ExitCode.NOT_EVALUATED),
    (errors.DamagedError, ExitCode.INTERNAL),
    (errors.NothingToDoError, ExitCode.NOTHING_TO_DO),
    (errors.WaitingError, ExitCode.WAITING),
)

_OF_STATE = {
    RunState.PLANNED: ExitCode.WAITING,
    RunState.AWAITING_PLAN_APPROVAL: ExitCode.WAITING,
    RunState.UNLEARNED: ExitCode.WAITING,
    RunState.VERIFIED: ExitCode.WAITING,
    RunState.AWAITING_RELEASE_APPROVAL: ExitCode.WAITING,
    RunState.REGISTERED: ExitCode.PASSED,
    RunState.NOTHING_TO_DO: ExitCode.NOTHING_TO_DO,
    RunState.REJECTED: ExitCode.REFUSED,
    RunState.UNDECIDED: ExitCode.NOT_EVALUATED,
    RunState.FAILED: ExitCode.INTERNAL,
    RunState.ABANDONED: ExitCode.REFUSED,
}

_OF_OUTCOME = {
    Outcome.PASS: ExitCode.PASSED,
    Outcome.FAIL: ExitCode.REFUSED,
    Outcome.NOT_EVALUATED: ExitCode.NOT_EVALUATED,
}

_OF_JOB = {
    JobOutcome.PASSED: ExitCode.PASSED,
    JobOutcome.NOTHING_TO_DO: ExitCode.NOTHING_TO_DO,
    JobOutcome.WAITING: ExitCode.WAITING,
    JobOutcome.HELD_BACK: ExitCode.WAITING,
    JobOutcome.REFUSED: ExitCode.REFUSED,
    JobOutcome.NOT_EVALUATED: ExitCode.NOT_EVALUATED,
    JobOutcome.BAD_INPUT: ExitCode.BAD_INPUT,
    JobOutcome.FAILED: ExitCode.INTERNAL,
}

#: What need not wake anybody at night: 0 unless the caller wants to know.
_QUIET = frozenset({ExitCode.NOTHING_TO_DO, ExitCode.WAITING})


def of_error(error: BaseException) -> ExitCode:
    """The code of an exception; anything unexpected is an internal error."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)


def of_state(state: RunState) -> ExitCode:
    """The code of the state in which a run was left."""
    return _OF_STATE[state]


def of_outcome(outcome: Outcome) -> ExitCode:
    """The code of a verdict."""
    return _OF_OUTCOME[outcome]


def of_job(outcome: JobOutcome) -> ExitCode:
    """The code of one turn of a job."""
    return _OF_JOB[outcome]


def of_night(outcomes: Iterable[JobOutcome], *, elsewhere: bool, interrupted: bool, detailed: bool) -> ExitCode:
    """The code of one call of scheduled work. Interrupted is always told; what waits or is idle only in detail."""
    if interrupted:
        return ExitCode.WAITING
    codes = [of_job(outcome) for outcome in outcomes] + [ExitCode.WAITING] * elsewhere
    code = worst(codes or [ExitCode.NOTHING_TO_DO])
    return ExitCode.PASSED if code in _QUIET and not detailed else code


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The one code that several come to. No code at all is an internal error, never a pass."""
    given = set(codes)
    return next((code for code in PRECEDENCE if code in given), ExitCode.INTERNAL)
