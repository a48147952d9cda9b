"""What people and programs see: the answer on stdout, the talk on stderr.

With `--json` the answer is one JSON document with a schema name and a version. Colour and moving
progress bars appear only where stderr is a terminal; elsewhere progress is a line now and then.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from maintain.errors import MaintainError, PolicyError

#: Version of every `--json` document; a test pins the shape of each.
DOCUMENT_VERSION = 1

#: Steps of a progress line where stderr is not a terminal.
_QUARTERS = 4

_BAR_WIDTH = 28


def answer(document: dict[str, Any], lines: Iterable[str], *, schema: str, as_json: bool) -> None:
    """Print the answer, as one JSON document or as lines for a person."""
    if as_json:
        whole = {"schema": f"maintain.cli.{schema}", "version": DOCUMENT_VERSION, **document}
        print(json.dumps(whole, indent=2, ensure_ascii=False, sort_keys=False))
    else:
        for line in lines:
            print(line)


def say(text: str) -> None:
    """One sentence of talk."""
    _finish_bar()
    print(text, file=sys.stderr, flush=True)


def complain(error: MaintainError, *, as_json: bool) -> None:
    """One clear paragraph for an expected failure; with `--json` also one document."""
    _finish_bar()
    print(f"maintain: {error.message}\n{error.remedy}", file=sys.stderr, flush=True)
    if as_json:
        document: dict[str, Any] = {
            "error": type(error).__name__,
            "message": error.message,
            "remedy": error.remedy,
        }
        if isinstance(error, PolicyError):
            document["problems"] = [
                {"source": item.source, "line": item.line, "column": item.column, "message": item.message}
                for item in error.problems
            ]
        answer(document, (), schema="error", as_json=True)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A plain table, each column as wide as it must be; numbers stand to the right."""
    body = [[_cell(value) for value in row] for row in rows]
    if not body:
        return ["  (none)"]
    widths = [max(len(line[i]) for line in [list(header), *body]) for i in range(len(header))]
    numeric = [all(_is_number(line[i]) for line in body) for i in range(len(header))]
    lines = [_row(header, widths, numeric), "  ".join("-" * width for width in widths)]
    return lines + [_row(line, widths, numeric) for line in body]


@dataclass(slots=True)
class _Bar:
    """The one moving line of stderr."""

    open: bool = False
    name: str = ""
    quarter: int = -1


_bar = _Bar()


def progress(name: str, done: int, total: int) -> None:
    """How far a long piece of work is: a bar in a terminal, a line each quarter elsewhere."""
    share = done / total if total else 1.0
    if sys.stderr.isatty():
        filled = round(share * _BAR_WIDTH)
        bar = "━" * filled + "─" * (_BAR_WIDTH - filled)
        print(f"\r  {name:<26} {bar} {done}/{total}", end="", file=sys.stderr, flush=True)
        _bar.open = True
        if done >= total:
            _finish_bar()
        return
    quarter = int(share * _QUARTERS)
    if (name, quarter) != (_bar.name, _bar.quarter):
        _bar.name, _bar.quarter = name, quarter
        if quarter:
            print(f"  {name}: {done}/{total}", file=sys.stderr, flush=True)


def _finish_bar() -> None:
    if _bar.open:
        print(file=sys.stderr)
        _bar.open = False


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).lstrip("+-").isdigit()


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    placed = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return "  ".join(placed).rstrip()
