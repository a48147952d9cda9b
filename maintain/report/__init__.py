"""A run, told to people: one self-contained page, written whether it passed or failed."""

from __future__ import annotations

from maintain.report.html import render_html
from maintain.report.model import Attempt, ChainLink, Ending, ExcludedCase, Report, build_report

__all__ = ["Attempt", "ChainLink", "Ending", "ExcludedCase", "Report", "build_report", "render_html"]
