"""The forest plot: one row a figure, all on one axis, grouped by gate, numbers beside it."""

from __future__ import annotations

import textwrap

from markupsafe import Markup

from maintain.report.forest import ForestGate, ForestRow
from maintain.report.plots.marks import Scale, dot, drawing, interval, line, outcome_mark, path, text
from maintain.report.words import OUTCOMES

#: Columns, in CSS pixels: names, the plot, numbers, limits.
_WIDTH, _NAME, _PLOT, _PLOT_END, _NUMBER, _LIMIT = 880.0, 30.0, 292.0, 590.0, 610.0, 800.0

#: Heights: of the head, a gate's line, a row, a further line of a long name, the axis.
_HEAD, _GATE, _ROW, _MORE, _AXIS = 30.0, 30.0, 22.0, 14.0, 42.0

#: Letters of a name that fit on one line, before the plot begins.
_LETTERS = 39

#: The scale never goes further than this, so that margins of a few hundredths stay visible; and at least so far.
_FURTHEST, _LEAST = 0.5, 0.1

#: Air beyond the outermost mark, as a share of the span.
_AIR = 0.06

#: Ticks of the axis, about.
_TICKS = 6


def draw_forest(gates: tuple[ForestGate, ...]) -> Markup:
    """All gates in one picture."""
    scale = _scale(gates)
    y, shapes = _HEAD, [*_head()]
    for gate in gates:
        said = "" if gate.gate.decisive else ", reported only"
        shapes += [
            line("rule", 0, y, _WIDTH, y),
            outcome_mark(gate.gate.outcome, 12, y + 17),
            text("gate", _NAME, y + 21, gate.gate.gate),
            text("outcome", _NUMBER, y + 21, OUTCOMES[gate.gate.outcome] + said),
        ]
        if not gate.rows:
            shapes.append(text("without", _PLOT, y + 21, "no figure with an interval"))
        y += _GATE
        for row in gate.rows:
            drawn, height = _row(row, scale, y)
            shapes.append(drawn)
            y += height
        y += 4
    shapes.insert(0, _grid(scale, _HEAD, y))
    shapes.append(_axis(scale, y))
    described = "; ".join(_told(gate) for gate in gates)
    return drawing(_WIDTH, y + _AXIS, "Every figure of every gate with its interval and its limit", described, shapes)


# --- private ---------------------------------------------------------------------------------------


def _scale(gates: tuple[ForestGate, ...]) -> Scale:
    """As far as figures that are held against a limit need it; others may lie beyond, and say so by an arrow."""
    rows = [row for gate in gates for row in gate.rows]
    marks = [-_LEAST, _LEAST]
    for row in [row for row in rows if row.told_limit] or rows:
        marks += [row.value, *row.limits, *(end for end in (row.low, row.high) if end is not None)]
    low, high = max(min(marks), -_FURTHEST), min(max(marks), _FURTHEST)
    air = _AIR * (high - low)
    return Scale(low - air, high + air, _PLOT, _PLOT_END)


def _head() -> tuple[Markup, ...]:
    return (
        text("head", _NAME, 18, "gate and figure"),
        text("head", _PLOT, 18, "estimate, interval, limit"),
        text("head", _NUMBER, 18, "estimate (interval)"),
        text("head", _LIMIT, 18, "limit"),
    )


def _row(row: ForestRow, scale: Scale, y: float) -> tuple[Markup, float]:
    names = textwrap.wrap(row.name, _LETTERS) or [""]
    height = _ROW + _MORE * (len(names) - 1)
    middle = y + height / 2
    shapes = [text("name", _NAME, y + 15 + _MORE * place, name) for place, name in enumerate(names)]
    for limit in row.limits:
        if scale.holds(limit):
            shapes.append(line("limit", scale.place(limit), y + 1, scale.place(limit), y + height - 1))
    if (row.low is not None or row.high is not None) and _touches(row, scale):
        shapes.append(interval("new", scale, middle, row.low, row.high))
    if scale.holds(row.value):
        shapes.append(dot("new", scale.place(row.value), middle))
    else:
        shapes.append(_beyond(scale.place(row.value), middle, 1.0 if row.value > scale.high else -1.0))
    numbers = f"{row.told_value} ({row.told_interval})" if row.told_interval else row.told_value
    shapes += [text("number", _NUMBER, middle + 4, numbers), text("number", _LIMIT, middle + 4, row.told_limit)]
    return Markup("").join(shapes), height


def _touches(row: ForestRow, scale: Scale) -> bool:
    """Whether any of the interval is in the picture."""
    return (row.low is None or row.low < scale.high) and (row.high is None or row.high > scale.low)


def _beyond(x: float, y: float, sign: float) -> Markup:
    """An arrow head: the estimate lies further out than the picture goes."""
    return path("new", ((x - sign * 8, y - 5), (x, y), (x - sign * 8, y + 5), (x - sign * 8, y - 5)))


def _grid(scale: Scale, top: float, bottom: float) -> Markup:
    lines = [line("grid", scale.place(tick), top, scale.place(tick), bottom) for tick in scale.ticks(_TICKS) if tick]
    return Markup("").join([*lines, line("zero", scale.place(0.0), top, scale.place(0.0), bottom)])


def _axis(scale: Scale, y: float) -> Markup:
    shapes = [line("rule", _PLOT, y, _PLOT_END, y)]
    for tick in scale.ticks(_TICKS):
        said = f"{tick:+g}".replace("-", "\N{MINUS SIGN}") if tick else "0"
        shapes.append(text("tick", scale.place(tick), y + 16, said))
    middle = (_PLOT + _PLOT_END) / 2
    shapes.append(text("tick", middle, y + 33, "distance from no effect (attack: from 0.5)"))
    return Markup("").join(shapes)


def _told(gate: ForestGate) -> str:
    rows = ", ".join(_row_told(row) for row in gate.rows)
    return f"{gate.gate.gate} {OUTCOMES[gate.gate.outcome]}" + (f": {rows}" if rows else "")


def _row_told(row: ForestRow) -> str:
    interval_told = f" from {row.told_interval}" if row.told_interval else ""
    limit = f", limit {row.told_limit}" if row.told_limit else ""
    return f"{row.name} {row.told_value}{interval_told}{limit}"
