"""A run, told to people: one self-contained page, and the same for programs, written whether it passed or failed.

Three editions of one value: HTML for readers, Markdown for whoever pastes it into a ticket, JSON for programs.
"""

from __future__ import annotations

from maintain.report.document import render_json
from maintain.report.html import render_html
from maintain.report.letter import BLANKS, Letter, LetterPart, LetterTable, render_letter_html, render_letter_markdown
from maintain.report.markdown import render_markdown
from maintain.report.model import Attempt, ChainLink, Ending, ExcludedCase, Report, build_report
from maintain.report.sheet import Sheet, SheetRow, render_sheet
from maintain.report.shown import (
    Answered,
    Attack,
    Comparison,
    Contender,
    Curve,
    Estimate,
    GroupRow,
    Groups,
    NotShown,
    OldAndNew,
    Panel,
    Picture,
    Shown,
    Wish,
)

__all__ = [
    "BLANKS",
    "Answered",
    "Attack",
    "Attempt",
    "ChainLink",
    "Comparison",
    "Contender",
    "Curve",
    "Ending",
    "Estimate",
    "ExcludedCase",
    "GroupRow",
    "Groups",
    "Letter",
    "LetterPart",
    "LetterTable",
    "NotShown",
    "OldAndNew",
    "Panel",
    "Picture",
    "Report",
    "Sheet",
    "SheetRow",
    "Shown",
    "Wish",
    "build_report",
    "render_html",
    "render_json",
    "render_letter_html",
    "render_letter_markdown",
    "render_markdown",
    "render_sheet",
]
