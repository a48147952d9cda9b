"""A delimited text file as rows with line numbers, read the way hospitals write them.

Byte-order mark or not; comma, semicolon or tab; header names in any letter case with blanks around
them, trailing empty columns. Anything else is refused with its line: a table that is half
understood gives wrong labels. Cells never stand in a message.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maintain.errors import InputError
from maintain.hashing import Digest, digest_bytes

#: What may stand between two cells; the one that the header uses most is taken.
DELIMITERS = (",", ";", "\t")

#: Lines that a message names before it says how many more there are.
LISTED_LINES = 10

#: A header that may be repeated in a message. Long runs of digits are numbers of patients or UIDs: a
#: file without a header line must not print its first row.
_SHOWABLE = re.compile(r"[^\W\d_](?:[^\W\d]|\d{1,2}(?!\d)|[ .\-]){0,39}")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line of a table: its number in the file and its cells by header name, in lower case."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the file's name, its headers in lower case, its rows, and the digest of its text."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    digest: Digest

    def refused(self, what: str, remedy: str, *, lines: Iterable[int] = (1,)) -> InputError:
        """The error for something wrong at these lines."""
        return InputError(f"{self.name}, {describe_lines(lines)}: {what}.", remedy=remedy)


def read_sheet(path: Path, *, required: Sequence[str]) -> Sheet:
    """Read a table that must have these columns. Raises `InputError` naming the file and the lines."""
    text = _text(path)
    lines = io.StringIO(text, newline="")
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    try:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        table: list[tuple[int, list[str]]] = []
        start = 1
        for cells in reader:
            table.append((start, [cell.strip() for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        raise _refused(path, f"line {start} is not delimited text ({error})", "Mend the quotes there.") from error
    if not table or not any(table[0][1]):
        raise _refused(path, "line 1 holds no column names", "Write the column names into the first line.")
    headers = _headers(path, table[0][1], required)
    rows = tuple(_rows(path, headers, [(line, cells) for line, cells in table[1:] if any(cells)]))
    return Sheet(path.name, tuple(header for header in headers if header), rows, digest_bytes(text.encode()))


def describe_lines(lines: Iterable[int]) -> str:
    """`line 4`, `lines 4 and 9`, or the first ten and how many more."""
    numbers = sorted(set(lines))
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if len(numbers) > LISTED_LINES:
        shown, more = numbers[:LISTED_LINES], len(numbers) - LISTED_LINES
        return f"lines {', '.join(map(str, shown))} and {more} more"
    return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


# --- private ---------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})", "Name a file that can.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not UTF-8 text.",
            remedy="Export it again as CSV in UTF-8, with or without a mark.",
        ) from error
    if "\0" in text:
        raise InputError(f"{path.name} is not text.", remedy="Export the table as CSV; a workbook is not one.")
    return text


def _headers(path: Path, cells: Sequence[str], required: Sequence[str]) -> list[str]:
    headers = [cell.casefold() for cell in cells]
    found = ", ".join(_shown(cell) for cell in cells if cell)
    for name in required:
        if name.casefold() not in headers:
            raise _refused(path, f"line 1 has no column {name}; it has {found}", f"Name one column {name}.")
    twice = sorted({_shown(cell) for cell in cells if cell and headers.count(cell.casefold()) > 1})
    if twice:
        raise _refused(path, f"line 1 names {', '.join(twice)} more than once", "Keep one column of each name.")
    return headers


def _rows(path: Path, headers: list[str], table: Sequence[tuple[int, list[str]]]) -> Iterable[SheetRow]:
    short = [line for line, cells in table if len(cells) < len(headers)]
    if short:
        where, remedy = describe_lines(short), "Export the table again; a row may have been cut off."
        raise InputError(f"{path.name}, {where}: fewer cells than column names.", remedy=remedy)
    nameless = {place for place, header in enumerate(headers) if not header}
    long = [line for line, cells in table if any(cells[len(headers) :]) or any(cells[at] for at in nameless)]
    if long:
        where, remedy = describe_lines(long), "Name every column, or quote the cells that hold the delimiter."
        raise InputError(f"{path.name}, {where}: cells without a column name.", remedy=remedy)
    for line, cells in table:
        pairs = zip(headers, cells, strict=False)  # what is left over was shown to be empty
        yield SheetRow(line, {header: cell for header, cell in pairs if header})


def _shown(header: str) -> str:
    return header if _SHOWABLE.fullmatch(header) else "(not shown)"


def _refused(path: Path, what: str, remedy: str) -> InputError:
    return InputError(f"{path.name}: {what}.", remedy=remedy)
