"""The whole error family. Libraries raise these; only the command line prints and exits.

    MaintainError
    +-- InputError                  something that was given is wrong                     exit 2
    |   +-- UnknownNameError        a name that no table knows; lists the nearest
    |   +-- PolicyError             every mistake of one file, each with line and column
    |   +-- LimitError              a policy would touch more than it declared
    |   +-- WorkspaceError          no workspace here, or one this version cannot use
    |   +-- RecordError             a file that should hold a record does not
    |   +-- ErasedError             a list of cases that was erased; names the request and the entry
    +-- RefusedError                the answer is no: a gate failed, a chain is broken    exit 1
    |   +-- BrokenChainError        the ledger disagrees with itself or its heads
    |   +-- IllegalMoveError        a run state that cannot follow the present one
    |   +-- StaleError              the champion or the suppression list changed meanwhile
    |   +-- RetiredError            a version that was withdrawn; names its entry
    +-- NotEvaluatedError           not shown either way                                  exit 3
    +-- DamagedError                a value and its digest no longer agree                exit 4
    +-- NothingToDoError            no serving version learned from any match             exit 5
    +-- WaitingError                somebody else must act or finish first                exit 6
        +-- HeldError               another process works on this model; names the holder
        +-- TakenOverError          another process took over; this one may write nothing
        +-- RegistryUnreachableError the model registry does not answer, or does not know us
        +-- InterruptedRunError     a run was told to stop; it can be resumed

Each error says what was wrong in its message and what to do next in its `remedy`; leaves hold
their facts as attributes so that `--json` can print them. Messages never hold identifiers of
patients, file locations below a data source, or values of DICOM elements.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class MaintainError(Exception):
    """An expected failure: what happened, and what to do next."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InputError(MaintainError):
    """Something that was given (an argument, a file, a value) is wrong."""


class UnknownNameError(InputError):
    """A name that no table knows. The message lists what is known, nearest first."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        nearest = nearest_name(name, self.known)
        meant = f" Did you mean {nearest!r}?" if nearest else ""
        listed = ", ".join(self.known) if self.known else "none yet"
        super().__init__(f"There is no {kind} called {name!r}.{meant}", remedy=f"Known: {listed}.")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file, where it stands, and the line itself."""

    source: str
    line: int
    column: int
    message: str
    snippet: str = ""

    def render(self) -> str:
        """`file:line:column: message`, then the line with a caret under the place."""
        head = f"{self.source}:{self.line}:{self.column}: {self.message}"
        if not self.snippet:
            return head
        return f"{head}\n    {self.snippet}\n    {' ' * (self.column - 1)}^"


class PolicyError(InputError):
    """Every mistake of a policy file, or of the files of its test, at once."""

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        remedy: str = "Mend these lines; `maintain policy schema` prints every key and its values.",
    ) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        listed = "\n".join(problem.render() for problem in self.problems)
        super().__init__(
            f"{count} mistake{'s' if count != 1 else ''} in the policy:\n{listed}",
            remedy=remedy,
        )


class LimitError(InputError):
    """A policy would touch more patients or cases than it declared it may."""


class WorkspaceError(InputError):
    """There is no workspace here, or this version cannot use it."""


class RecordError(InputError):
    """A file that should hold one of our records is broken, foreign, or of an unknown version."""


class ErasedError(InputError):
    """A file that listed a person's images was erased: for which request, and by which entry of the ledger."""

    def __init__(self, what: str, *, request: str, entry: int) -> None:
        self.what = what
        self.request = request
        self.entry = entry
        super().__init__(
            f"{what} was erased for request {request}, ledger entry {entry}.",
            remedy="Nothing brings it back; the ledger, and the plan and the verdict of a run, are kept.",
        )


class RefusedError(MaintainError):
    """The answer is no."""


class BrokenChainError(RefusedError):
    """The ledger disagrees with itself or with its heads; `entry` is the first that does."""

    def __init__(self, message: str, *, entry: int, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.entry = entry


class IllegalMoveError(RefusedError):
    """A run was asked to enter a state that cannot follow its present one."""


class StaleError(RefusedError):
    """What a candidate was made from no longer holds: another champion, or newly suppressed cases."""


class RetiredError(RefusedError):
    """A version that was withdrawn: nothing loads it any more. `entry` is the one of the ledger that says so."""

    def __init__(self, model: str, version: int, *, entry: int) -> None:
        self.model = model
        self.version = version
        self.entry = entry
        super().__init__(
            f"Version {version} of {model} is retired (ledger entry {entry}): nothing loads it any more.",
            remedy=f"`maintain audit show {model} {version}` says why; `maintain registry list` shows what is left.",
        )


class NotEvaluatedError(MaintainError):
    """A figure could not be computed from what there is; it is never replaced by a default."""


class DamagedError(MaintainError):
    """A stored value and its digest no longer agree."""


class NothingToDoError(MaintainError):
    """No serving version learned from any matching case."""


class WaitingError(MaintainError):
    """Somebody else must act or finish first."""


class HeldError(WaitingError):
    """Another process works on this model: who, since when, and until when its lease runs."""

    def __init__(self, model: str, *, holder: str, owner: str, since: str, until: str) -> None:
        self.model = model
        self.holder = holder
        self.owner = owner
        self.since = since
        self.until = until
        super().__init__(
            f"{holder} works on {model}: held by {owner} since {since}, its lease ends {until}.",
            remedy="Wait until it is done. If its process is gone, say it again when the lease is over.",
        )


class TakenOverError(WaitingError):
    """Another process took this work over; this one may write nothing more."""

    def __init__(self, model: str, holder: str) -> None:
        self.model = model
        self.holder = holder
        super().__init__(
            f"Another process has taken over the work on {model} from {holder}; nothing more was written here.",
            remedy="See how it goes with `maintain runs list`.",
        )


class RegistryUnreachableError(WaitingError):
    """The model registry does not answer, or does not let us in; what was proven waits for it."""

    def __init__(self, said: str) -> None:
        super().__init__(
            said,
            remedy="See that its server runs and that the credentials are right, then say it again: "
            "a run that had passed is only registered then, and nothing is measured twice.",
        )


class InterruptedRunError(WaitingError):
    """A run was told to stop before its end; what it finished is kept."""

    def __init__(self, run: str, why: str) -> None:
        self.run = run
        super().__init__(
            f"{why} The run {run} stands where it was; what it finished is kept.",
            remedy=f"`maintain run --resume {run}` goes on from there; `maintain runs abandon {run}` gives it up.",
        )


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when nothing is close."""
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[close[0]] if close else None
