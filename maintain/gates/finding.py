"""What a behaviour gate found, before it is a result, and how it is told.

Something shown to be outside fails whatever else is open; something open is never a pass. The sentences are for
a reader who knows medicine and no statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from maintain.errors import NotEvaluatedError
from maintain.gates.base import judged, listed
from maintain.records import Figure, GateRequest, GateResult
from maintain.vocabulary import Outcome

#: What is said where the champion itself shows nothing of what is to be forgotten.
NOTHING_TO_FORGET = "nothing to forget shown"

#: Two one-sided bounds at 5 % each, as every behaviour gate has them: power.md §5.
INTERVAL = "90 % interval"


class Bounded(Protocol):
    """An estimate between two one-sided bounds."""

    @property
    def estimate(self) -> float:
        """The figure itself."""
        ...

    @property
    def low(self) -> float:
        """The least it may be."""
        ...

    @property
    def high(self) -> float:
        """The most it may be."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Everything shown to be outside, everything open, and the figures behind both."""

    failed: tuple[str, ...]
    unshown: tuple[str, ...]
    passed: str
    figures: tuple[Figure, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """FAIL before NOT EVALUATED before PASS."""
        if self.failed:
            return Outcome.FAIL
        return Outcome.NOT_EVALUATED if self.unshown else Outcome.PASS

    @property
    def reason(self) -> str:
        """Every reason of that outcome."""
        if self.failed:
            return listed(list(self.failed))
        return listed(list(self.unshown)) if self.unshown else self.passed

    def result(self, request: GateRequest, *more: Figure) -> GateResult:
        """The finding as the result of a request."""
        return judged(request, self.outcome, self.reason, (*self.figures, *more))


def inside(name: str, bound: Bounded, centre: float, margin: float) -> tuple[str, str]:
    """What is shown of an interval that must lie within a margin of a centre: (outside, open), each maybe empty."""
    if bound.low > centre + margin or bound.high < centre - margin:
        side = "above" if bound.low > centre + margin else "below"
        edge = centre + margin if side == "above" else centre - margin
        return f"{name} is shown {side} {edge:.2f}", ""
    if centre - margin < bound.low and bound.high < centre + margin:
        return "", ""
    return "", f"{name} may lie between {bound.low:.3f} and {bound.high:.3f}, not shown within {margin:g} of {centre:g}"


def below(name: str, bound: Bounded, limit: float) -> tuple[str, str]:
    """What is shown of a share that must lie below a limit: (outside, open), each maybe empty."""
    if bound.low > limit:
        return f"{name} is shown above {limit:g}", ""
    if bound.high < limit:
        return "", ""
    return "", f"{name} may be {bound.high:.3f}, not shown below {limit:g}"


def figure_of(
    name: str, bound: Bounded, *, limit: float | None = None, cases: int | None = None, patients: int | None = None
) -> Figure:
    """An interval as a figure of a result."""
    return Figure(name, bound.estimate, bound.low, bound.high, limit, cases, patients)


def optional_figure(name: str, figure: Callable[[], float]) -> tuple[Figure, ...]:
    """A figure that decides nothing: left out where it does not exist, so that it hides no finding."""
    try:
        return (Figure(name, figure()),)
    except NotEvaluatedError:
        return ()


def told(figures: tuple[Figure, ...]) -> list[str]:
    """Each interval as a sentence."""
    return [_told(figure) for figure in figures if figure.low is not None and figure.high is not None]


def explained(asked: str, result: GateResult, *, passed: str, failed: str) -> str:
    """What was asked, measured and shown, in this order."""
    ends = {
        Outcome.PASS: f"{passed} {result.reason}",
        Outcome.FAIL: f"{failed} {result.reason}",
        Outcome.NOT_EVALUATED: f"Neither is shown, so nothing is claimed: {result.reason}",
    }
    return " ".join([asked, *told(result.figures), ends[result.outcome]])


# --- private ---------------------------------------------------------------------------------------


def _told(figure: Figure) -> str:
    where = f" on {figure.cases} cases of {figure.patients} patients" if figure.cases and figure.patients else ""
    limit = f"; the limit is {figure.limit:g}" if figure.limit is not None else ""
    name = figure.name[:1].upper() + figure.name[1:]
    low, high = figure.low, figure.high
    return f"{name}: {figure.value:.3f} ({INTERVAL} {low:.3f} to {high:.3f}){where}{limit}."
