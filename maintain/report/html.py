"""The report as one self-contained page: no script, no picture, nothing to fetch.

The template escapes everything; intervals are drawn as small inline drawings so that a reader sees
at once how far a figure stands from its limit.
"""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup

from maintain.hashing import short
from maintain.records import Figure
from maintain.report.model import Report

#: Size of an interval drawing, in CSS pixels.
_WIDTH, _HEIGHT = 220, 22

#: Room left on both sides of what is drawn, as a share of its span.
_AIR = 0.15


def render_html(report: Report) -> str:
    """The page."""
    environment = Environment(
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = short
    environment.filters["signed"] = lambda value: f"{value:+.3f}"
    environment.filters["plain"] = lambda value: f"{value:.0f}" if value == round(value) else f"{value:.3f}"
    environment.globals["interval"] = draw_interval
    source = files("maintain.report").joinpath("templates/run.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(report=report)


def draw_interval(figure: Figure) -> Markup:
    """A figure's interval as a line with its estimate, beside zero and the limit it is held against."""
    if figure.low is None and figure.high is None:
        return Markup("")
    low = figure.low if figure.low is not None else figure.value
    high = figure.high if figure.high is not None else figure.value
    marks = [low, high, figure.value, 0.0, *([figure.limit] if figure.limit is not None else [])]
    start, end = min(marks), max(marks)
    span = (end - start) or 1.0
    start, span = start - _AIR * span, span * (1 + 2 * _AIR)

    def place(value: float) -> str:
        return f"{(value - start) / span * _WIDTH:.1f}"

    middle, bottom = _HEIGHT / 2, _HEIGHT - 1
    said, limit = f"from {low:+.3f} to {high:+.3f}", ""
    if figure.limit is not None:
        said += f", limit {figure.limit:+.3f}"
        limit = _line("limit", place(figure.limit), place(figure.limit), 1, bottom)
    drawing = (
        _line("zero", place(0.0), place(0.0), 3, bottom - 2)
        + limit
        + _line("range", place(low), place(high), middle, middle)
        + f'<circle class="value" cx="{place(figure.value)}" cy="{middle}" r="4"/>'
    )
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return Markup(f'<svg role="img" aria-label="{said}" {size}>{drawing}</svg>')  # numbers only


# --- private ---------------------------------------------------------------------------------------


def _line(kind: str, x1: str, x2: str, y1: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>'
