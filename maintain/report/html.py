"""The report as one self-contained page: no script, nothing to fetch, drawings as inline SVG.

The template escapes everything. Images are in the page only where they were handed over by name.
"""

from __future__ import annotations

import base64
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, select_autoescape

from maintain.hashing import short
from maintain.report.forest import forest_of
from maintain.report.model import Report
from maintain.report.plots import draw_forest, draw_groups, draw_panel, draw_roc
from maintain.report.shown import Picture
from maintain.report.words import NONE, OUTCOMES, counted, first_sentence, plain, range_told, signed


def render_html(report: Report, pictures: tuple[Picture, ...] | None = None) -> str:
    """The page. With `pictures` it has a sheet of them, also of none."""
    environment = Environment(
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        short=short,
        signed=signed,
        plain=plain,
        counted=counted,
        first_sentence=first_sentence,
        range_told=range_told,
        base64=lambda data: base64.b64encode(data).decode(),
    )
    environment.globals.update(
        outcomes=OUTCOMES,
        none_told=NONE,
        draw_groups=draw_groups,
        draw_panel=draw_panel,
        draw_roc=draw_roc,
    )
    source = files("maintain.report").joinpath("templates/run.html.j2").read_text(encoding="utf-8")
    forest = draw_forest(forest_of(report.gates)) if report.gates else None
    return environment.from_string(source).render(report=report, forest=forest, pictures=pictures)
