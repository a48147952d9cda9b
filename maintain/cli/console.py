"""What people and programs see: the answer on stdout, the talk on stderr.

With `--json` the answer is one JSON document with a schema name and a version. Colour and moving
progress bars appear only where stderr is a terminal; elsewhere progress is a line now and then.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
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


def confess(error: Exception, *, as_json: bool) -> None:
    """An error of the program: its class and the places it passed, but no value and no message of it.

    Messages of other libraries quote what they stumbled over: parameters, file names, headers.
    """
    _finish_bar()
    kind = type(error).__name__
    message = f"An error inside the program ({kind}). What was finished is kept, and nothing was half registered."
    remedy = "Say `maintain doctor` to see how the workspace is, and report these lines:"
    places = [f"  {_place(frame)}" for frame in traceback.extract_tb(error.__traceback__)]
    causes = [f"  after {type(cause).__name__}" for cause in _causes(error)]
    print("\n".join([f"maintain: {message}", remedy, *places, f"  {kind}", *causes]), file=sys.stderr, flush=True)
    if as_json:
        answer({"error": kind, "message": message, "remedy": remedy}, (), schema="error", as_json=True)


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


def _place(frame: traceback.FrameSummary) -> str:
    """Module, line and function; where the program is installed is nobody's business."""
    parts = Path(frame.filename).parts
    return f"{'/'.join(parts[-2:])}:{frame.lineno} in {frame.name}"


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


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
