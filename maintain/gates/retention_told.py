"""Retention in sentences, one for each part, for a reader who knows medicine and no statistics.

Figures carry their part in their names, so that a verdict can be told from its record alone.
"""

from __future__ import annotations

from collections import defaultdict

from maintain.gates.base import listed
from maintain.gates.caps import MEANINGS
from maintain.gates.lineage import AGAINST_FIRST
from maintain.gates.losses import DIFFERENCE
from maintain.gates.reported import told as told_plainly
from maintain.gates.subgroups import IN
from maintain.records import Figure, GateResult
from maintain.statistics import Metric
from maintain.vocabulary import Outcome


def told(result: GateResult) -> str:
    """What was asked, measured and shown of each part, the outcome, and what is reported beside it."""
    parts: dict[str, list[Figure]] = defaultdict(list)
    capped, beside = [], []
    for figure in result.figures:
        metric, found, where = figure.name.partition(DIFFERENCE)
        if found and metric in set(Metric):
            parts[where].append(figure)
        elif figure.name in MEANINGS and figure.limit is not None:
            capped.append(figure)
        else:
            beside.append(figure)
    ends = {
        Outcome.PASS: f"The candidate is shown to have kept what was asked: {result.reason}",
        Outcome.FAIL: f"The candidate is shown to be worse, or cannot be used: {result.reason}",
        Outcome.NOT_EVALUATED: f"Neither is shown of all that was asked, so nothing is claimed: {result.reason}",
    }
    return " ".join(
        [
            *(_losses_told(where, figures) for where, figures in parts.items()),
            *(_cap_told(figure) for figure in capped),
            ends[result.outcome],
            *([f"Reported, not decisive: {listed([told_plainly(figure) for figure in beside])}"] if beside else []),
        ]
    )


# --- private ---------------------------------------------------------------------------------------


def _losses_told(where: str, figures: list[Figure]) -> str:
    said = ", ".join(_difference_told(figure) for figure in figures)
    first = figures[0]
    measured = f"{said}, on {first.cases} cases of {first.patients} patients"
    limits = [figure.limit for figure in figures if figure.limit is not None]
    if not limits:
        return f"Reported without a limit{where}: {measured}."
    return f"{_asked(where, -100 * limits[0])} {measured}: {_shown(figures, where)}."


def _asked(where: str, points: float) -> str:
    """The question of a part, with the loss that it allows."""
    allowed = f"to within {points:g} points"
    if not where:
        return f"Is the revised model as good as the one in use, {allowed}, on images that neither learned from?"
    if where == AGAINST_FIRST:
        return f"Is it as good as the first version of its line, {allowed}, so that small losses have not added up?"
    return f"Is it as good as the one in use{where}, {allowed}?"


def _difference_told(figure: Figure) -> str:
    metric = figure.name.partition(DIFFERENCE)[0]
    if figure.low is None or figure.high is None:
        return f"{metric} {100 * figure.value:+.1f} points"
    between = f"between {100 * figure.low:+.1f} and {100 * figure.high:+.1f}"
    return f"{metric} {100 * figure.value:+.1f} points ({between})"


def _shown(figures: list[Figure], where: str) -> str:
    """What the bounds show of the losses that have a limit: in a group accuracy has one, elsewhere every metric."""
    bounds = [
        (figure.low, figure.high, figure.limit)
        for figure in figures
        if figure.low is not None and figure.high is not None and figure.limit is not None
    ]
    if any(high < limit for _, high, limit in bounds):
        return "worse"
    whole = where.startswith(IN) or len(bounds) == len(Metric)
    return "yes" if whole and all(low > limit for low, _, limit in bounds) else "not shown either way"


def _cap_told(figure: Figure) -> str:
    low, high, limit = (100 * (value or 0.0) for value in (figure.low, figure.high, figure.limit))
    shown = "no" if low > limit else "yes" if high < limit else "not shown either way"
    return (
        f"Is {MEANINGS[figure.name]} below {limit:g} %? {100 * figure.value:.1f} %"
        f" (between {low:.1f} and {high:.1f}), on {figure.cases} cases of {figure.patients} patients: {shown}."
    )
