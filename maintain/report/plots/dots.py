"""Old and new as two dots with intervals on one scale: hollow and dashed, full and solid."""

from __future__ import annotations

from markupsafe import Markup

from maintain.report.plots.marks import NEW, OLD, Scale, dot, drawing, interval, line, text
from maintain.report.shown import Estimate, GroupRow, OldAndNew
from maintain.report.words import told

#: A panel: its size, where its scale begins and ends, in CSS pixels.
_WIDTH, _HEIGHT, _LEFT, _RIGHT = 272.0, 176.0, 8.0, 180.0

#: A group's dots in a table.
_CELL_WIDTH, _CELL_HEIGHT = 230.0, 34.0

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


def draw_groups(row: GroupRow) -> Markup:
    """Accuracy of both versions in one group."""
    scale = Scale(0.0, 1.0, 6.0, _CELL_WIDTH - 6.0)
    shapes = [line("grid", scale.place(tick), 0, scale.place(tick), _CELL_HEIGHT) for tick in _TICKS]
    shapes += _pair(scale, 10, 24, row.champion, row.candidate)
    described = f"old {told(row.champion)}, new {told(row.candidate)}"
    return drawing(_CELL_WIDTH, _CELL_HEIGHT, f"Accuracy in {row.value}", described, shapes)


# --- private ---------------------------------------------------------------------------------------


def _pair(scale: Scale, first: float, second: float, before: Estimate, after: Estimate) -> list[Markup]:
    shapes = []
    for kind, y, estimate in ((OLD, first, before), (NEW, second, after)):
        shapes += [interval(kind, scale, y, estimate.low, estimate.high), dot(kind, scale.place(estimate.value), y)]
    return shapes


def _numbers(y: float, kind: str, estimate: Estimate) -> Markup:
    return text("number", _RIGHT + 14, y, f"{kind} {estimate.value:.3f}")
