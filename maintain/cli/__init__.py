"""The command line: the only place that prints, composes real adapters, or exits."""

from __future__ import annotations

__all__: list[str] = []
