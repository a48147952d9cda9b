"""What one part of retention shows: losses held against a margin, and what more cases would settle.

A part may be lost, open or shown in several figures at once. One that is lost fails whatever else is open, and a
figure that does not exist leaves its part open, never shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from maintain.errors import NotEvaluatedError
from maintain.gates.base import judged, listed
from maintain.gates.pairs import Pairs
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import Metric, PairedDifference
from maintain.vocabulary import Outcome

#: What the name of each loss says, between the metric and whom or where it is looked at.
DIFFERENCE = " difference"

#: Beyond this factor of precision (its square in cases) a number of cases is no advice any more.
MOST_TIMES_MORE = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """Everything that one part shows lost, leaves open, shows kept; its figures, and notes that decide nothing."""

    lost: tuple[str, ...] = ()
    unshown: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """FAIL before NOT EVALUATED before PASS."""
        if self.lost:
            return Outcome.FAIL
        return Outcome.NOT_EVALUATED if self.unshown else Outcome.PASS

    def result(self, request: GateRequest) -> GateResult:
        """The part as a result, which names all that is lost and all that is open."""
        said = [*self.lost, *self.unshown] or list(self.kept)
        return judged(request, self.outcome, " ".join([listed(said), *self.notes]), self.figures)


def together(parts: Iterable[Part]) -> Part:
    """All parts as one."""
    every = tuple(parts)
    return Part(
        lost=tuple(said for part in every for said in part.lost),
        unshown=tuple(said for part in every for said in part.unshown),
        kept=tuple(said for part in every for said in part.kept),
        figures=tuple(figure for part in every for figure in part.figures),
        notes=tuple(said for part in every for said in part.notes),
    )


def open_where_missing(what: str, make: Callable[[], Part]) -> Part:
    """The part, or one that is open because something it needs does not exist."""
    try:
        return make()
    except NotEvaluatedError as error:
        return Part(unshown=(f"{what}: {why(error)}",))


def why(error: NotEvaluatedError) -> str:
    """A reason within a longer sentence."""
    return f"{error.message} {error.remedy}".removesuffix(".")


def losses(pairs: Pairs, metrics: Iterable[Metric], *, where: str, margin: float, alpha: float) -> Part:
    """Each metric's difference with its bounds at level `alpha`, held against a loss of `margin`."""
    bounds: dict[Metric, PairedDifference] = {}
    unshown = []
    for metric in metrics:
        try:
            bounds[metric] = pairs.difference(metric, alpha)
        except NotEvaluatedError as error:
            unshown.append(f"{metric}{where}: {why(error)}")
    lost = [str(metric) for metric, bound in bounds.items() if bound.high < -margin]
    unshown += [
        _needs(f"{metric}{where}", bound, margin)
        for metric, bound in bounds.items()
        if bound.high >= -margin and not bound.low > -margin
    ]
    return Part(
        lost=(f"Shown to lose more than {margin:g}{where}: {', '.join(lost)}",) if lost else (),
        unshown=tuple(unshown),
        kept=() if lost or unshown else (f"Shown to lose less than {margin:g}{where}: {', '.join(bounds)}",),
        figures=tuple(_figure(metric, where, bound, -margin) for metric, bound in bounds.items()),
    )


def reported_losses(pairs: Pairs, metrics: Iterable[Metric], *, where: str, alpha: float) -> Part:
    """The same differences without a margin, and a note on each that does not exist."""
    figures, notes = [], []
    for metric in metrics:
        try:
            figures.append(_figure(metric, where, pairs.difference(metric, alpha), None))
        except NotEvaluatedError as error:
            notes.append(f"Not reported: {metric}{where}: {error.message}")
    return Part(figures=tuple(figures), notes=tuple(notes))


# --- private ---------------------------------------------------------------------------------------


def _figure(metric: Metric, where: str, bound: PairedDifference, limit: float | None) -> Figure:
    return Figure(
        name=f"{metric}{DIFFERENCE}{where}",
        value=bound.estimate,
        low=bound.low,
        high=bound.high,
        limit=limit,
        cases=bound.cases,
        patients=bound.patients,
    )


def _needs(what: str, bound: PairedDifference, margin: float) -> str:
    """Roughly how many cases would settle an open figure if nothing else changed."""
    distance = abs(bound.estimate + margin)
    reach = bound.estimate - bound.low if bound.estimate > -margin else bound.high - bound.estimate
    if distance * MOST_TIMES_MORE < reach:
        return f"{what} lies at the margin, where more cases settle nothing"
    needed = math.ceil(bound.cases * (reach / distance) ** 2)
    return f"{what} would need about {needed} holdout cases, not {bound.cases}"
