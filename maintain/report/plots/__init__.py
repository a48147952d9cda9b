"""Drawings as inline SVG, made of a few shapes and no library: readable in grey, on paper, and read aloud.

What a mark means is said by its shape, its dash and a word beside it, never by colour alone. Each drawing has a title
and a description that hold its numbers.
"""

from __future__ import annotations

from maintain.report.plots.dots import draw_groups, draw_panel
from maintain.report.plots.forest import draw_forest
from maintain.report.plots.roc import draw_roc

__all__ = ["draw_forest", "draw_groups", "draw_panel", "draw_roc"]
