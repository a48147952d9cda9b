"""`run.log`: when each stage began and ended, what it counted and made, how each gate came out.

Written by one decorator around the stages, so that no stage can forget it. Facts are names, counts,
digests and classes of errors; an error's own message stays out, since it may be anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from maintain.clock import Clock
from maintain.errors import MaintainError
from maintain.records import Candidate, Decision, Plan, Registration, Verdict
from maintain_pipelines.context import Context
from maintain_pipelines.rundir import RunFolder

P = ParamSpec("P")
T = TypeVar("T")

#: What a line may say.
Fact: TypeAlias = str | int | float | bool | None

#: Lines with the seconds of one method, and of references that were trained for a comparison.
TRIED, REFERENCES_TRAINED = "tried", "references-trained"


def logged(stage: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Write the begin and the end of a stage into the log of the run folder that it is handed."""

    def around(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def told(*args: P.args, **kwargs: P.kwargs) -> T:
            given = (*args, *kwargs.values())
            folder = next(value for value in given if isinstance(value, RunFolder))
            if not folder.path.is_dir():
                return function(*args, **kwargs)  # there is nowhere to log to; the stage says what that means
            clock = next(value.clock for value in given if isinstance(value, Context))
            begun = clock.now()
            folder.log(clock, f"{stage}-begun", slot=folder.slot)
            try:
                made = function(*args, **kwargs)
            except BaseException as error:
                log_error(folder, clock, error, stage=stage, seconds=_seconds(begun, clock))
                raise
            for event, facts in lines_of(made):
                folder.log(clock, event, **facts)
            folder.log(clock, f"{stage}-ended", slot=folder.slot, seconds=_seconds(begun, clock), **facts_of(made))
            return made

        return told

    return around


def log_error(folder: RunFolder, clock: Clock, error: BaseException, **facts: Fact) -> None:
    """Note the class of an error. A log that cannot be written never hides what went wrong first."""
    with suppress(OSError, MaintainError):
        folder.log(clock, "error", error=type(error).__name__, **facts)


def facts_of(value: object) -> dict[str, Fact]:
    """What the log says of a value: digests and counts."""
    if isinstance(value, Plan):
        counted = {f"{count.role.value}-cases": count.cases for count in value.counts}
        requests = value.slots[0].methods
        methods = " ".join(dict.fromkeys(request.name for request in requests))
        return {"claim": value.claim.value, "methods": methods, "attempts": len(requests), **counted}
    if isinstance(value, Candidate):
        return {"method": value.method, "weights": value.weights, "loader-log": value.loader_log}
    if isinstance(value, Verdict):
        return {"outcome": value.outcome.value, "look": value.look, "measurements": value.measurements}
    if isinstance(value, Registration):
        return {"version": value.version, "entry": value.entry, "entry-hash": value.entry_hash}
    return {}


def lines_of(value: object) -> Iterator[tuple[str, dict[str, Fact]]]:
    """The lines that a value has of its own: a line a method that was tried, a line a gate."""
    for tried in value.decisions if isinstance(value, Candidate) else ():
        options: dict[str, Fact] = {f"option-{setting.name}": setting.value for setting in tried.differing}
        told: dict[str, Fact] = {"chosen": tried.chosen, "steps": tried.steps, "label": tried.label}
        yield "method", {"method": tried.method, **options, **told}
    for gate in value.gates if isinstance(value, Verdict) else ():
        yield "gate", {"gate": gate.gate, "outcome": gate.outcome.value, "decisive": gate.decisive}


@dataclass(slots=True)
class Laps:
    """How long each method of a slot took, written when it was tried; what references took meanwhile is told apart."""

    folder: RunFolder
    clock: Clock
    begun: datetime
    aside: float = 0.0

    def tried(self, decision: Decision) -> None:
        """Note a method with its steps and seconds; `made` says whether there were weights."""
        seconds = _seconds(self.begun, self.clock)
        spent = None if seconds is None else round(max(seconds - self.aside, 0.0), 3)
        facts: dict[str, Fact] = {"method": decision.method, "steps": decision.steps, "seconds": spent}
        self.folder.log(self.clock, TRIED, slot=self.folder.slot, made=decision.tuned is not None, **facts)
        self.begun, self.aside = self.clock.now(), 0.0

    def trained(self, references: int, steps: int, seconds: float) -> None:
        """Note the references that were trained meanwhile."""
        self.aside += seconds
        if references:
            facts: dict[str, Fact] = {"references": references, "steps": steps, "seconds": round(seconds, 3)}
            self.folder.log(self.clock, REFERENCES_TRAINED, slot=self.folder.slot, **facts)


# --- private ---------------------------------------------------------------------------------------


def _seconds(begun: datetime, clock: Clock) -> float | None:
    """How long something took; None when the clock was set back meanwhile."""
    seconds = (clock.now() - begun).total_seconds()
    return round(seconds, 3) if seconds >= 0 else None
