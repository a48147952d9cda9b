"""Old and new as two dots with intervals on one scale: hollow and dashed, full and solid."""

from __future__ import annotations

import math

from markupsafe import Markup

from maintain.report.plots.marks import NEW, OLD, Scale, dot, drawing, interval, line, text
from maintain.report.shown import Estimate, GroupRow, Groups, OldAndNew
from maintain.report.words import told

#: A panel: its size, where its scale begins and ends, in CSS pixels.
_WIDTH, _HEIGHT, _LEFT, _RIGHT = 272.0, 176.0, 8.0, 180.0

#: A group's dots in a table.
_CELL_WIDTH, _CELL_HEIGHT = 270.0, 34.0

#: The scale of a table begins at a multiple of this, and has about so many ticks.
_STEP, _CELL_TICKS = 0.1, 5

#: Rounding of a quotient that should be whole.
_DUST = 1e-9

#: Shares go from none to all.
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def draw_panel(title: str, answers: OldAndNew) -> Markup:
    """Accuracy and confidence of both versions on one kind of cases."""
    scale = Scale(0.0, 1.0, _LEFT, _RIGHT)
    shapes = [line("grid", scale.place(tick), 8, scale.place(tick), 148) for tick in _TICKS]
    old, new = answers.champion, answers.candidate
    rows = (
        ("accuracy", old.accuracy, new.accuracy, 18.0),
        ("confidence", old.confidence, new.confidence, 90.0),
    )
    for name, before, after, y in rows:
        shapes += [text("gate", _LEFT, y, name), *_pair(scale, y + 16, y + 38, before, after)]
        shapes += [_numbers(y + 20, OLD, before), _numbers(y + 42, NEW, after)]
    shapes += [text("tick", scale.place(tick), 166, f"{tick:g}") for tick in (0.0, 0.5, 1.0)]
    described = "; ".join(f"{name} old {told(before)}, new {told(after)}" for name, before, after, _ in rows)
    return drawing(_WIDTH, _HEIGHT, f"{title}: old against new", described, shapes)


def draw_groups(groups: Groups) -> tuple[Markup, ...]:
    """Accuracy of both versions, one picture a group, all on one scale; the last one is the axis."""
    ends = [estimate.low for row in groups.rows for estimate in (row.champion, row.candidate)]
    low = min(max(round(math.floor(min(ends) / _STEP + _DUST) * _STEP, 10), 0.0), 1.0 - 2 * _STEP)
    scale = Scale(low, 1.0, 14.0, _CELL_WIDTH - 14.0)
    ticks = scale.ticks(_CELL_TICKS)
    axis = [text("tick", scale.place(tick), 12, f"{tick:g}") for tick in ticks]
    rows = tuple(_group(row, scale, ticks) for row in groups.rows)
    return (*rows, drawing(_CELL_WIDTH, 16, "Axis", f"accuracy from {low:g} to 1", axis))


# --- private ---------------------------------------------------------------------------------------


def _group(row: GroupRow, scale: Scale, ticks: tuple[float, ...]) -> Markup:
    shapes = [line("grid", scale.place(tick), 0, scale.place(tick), _CELL_HEIGHT) for tick in ticks]
    shapes += _pair(scale, 10, 24, row.champion, row.candidate)
    described = f"old {told(row.champion)}, new {told(row.candidate)}"
    return drawing(_CELL_WIDTH, _CELL_HEIGHT, f"Accuracy in {row.value}", described, shapes)


def _pair(scale: Scale, first: float, second: float, before: Estimate, after: Estimate) -> list[Markup]:
    shapes = []
    for kind, y, estimate in ((OLD, first, before), (NEW, second, after)):
        shapes += [interval(kind, scale, y, estimate.low, estimate.high), dot(kind, scale.place(estimate.value), y)]
    return shapes


def _numbers(y: float, kind: str, estimate: Estimate) -> Markup:
    return text("number", _RIGHT + 14, y, f"{kind} {estimate.value:.3f}")
