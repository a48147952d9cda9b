"""A contact sheet of a score: rows of pictures beyond the cut and within it, so that people see what a cut means.

One self-contained page, as the report is. It always says that it holds pixels of patients.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, select_autoescape

from maintain.hashing import short
from maintain.report.shown import Picture
from maintain.report.words import counted


@dataclass(frozen=True, slots=True)
class SheetRow:
    """Pictures in order, under a title; the label of each is its score. Where there are none, `empty` says so."""

    title: str
    pictures: tuple[Picture, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a score, how it was computed, its cut, and how many of how many images lie beyond that."""

    score: str
    method: str
    cut: float
    side: str
    beyond: int
    cases: int
    rows: tuple[SheetRow, ...]


def render_sheet(sheet: Sheet) -> str:
    """The page: no script, nothing to fetch; the template escapes everything."""
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(short=short, counted=counted, base64=lambda data: base64.b64encode(data).decode())
    source = files("maintain.report").joinpath("templates/sheet.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(sheet=sheet)
