"""Tables that come with a model from elsewhere: what it was trained on, and what it answered.

Both name images by SOPInstanceUID, as labels do, or by the keyed `case` that this program shows. Only keyed
identifiers leave; a row that contradicts another one is refused, not resolved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maintain.errors import InputError
from maintain.intake.identity import PSEUDONYM_BYTES, Pseudonyms
from maintain.intake.sheets import Sheet, SheetRow, read_sheet
from maintain.intake.tables import INSTANCE_COLUMN, agreed
from maintain.vocabulary import Split

#: The column of keyed identifiers, as `cohort show` and reports print them.
CASE_COLUMN = "case"

#: The column that says what a training did with a case.
ROLE_COLUMN = "role"

#: The file in a folder of arrays that says which file is whose, where files are not named by SOPInstanceUID.
FILE_COLUMN = "file"

#: How far the probabilities of one row may sum from one: outputs are often exported with three decimals.
SUM_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class MemberRow:
    """What a training did with one case."""

    case_id: str
    role: Split


@dataclass(frozen=True, slots=True)
class OutputRow:
    """What a model answered about one case: a probability a label, in the order that was asked for."""

    case_id: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FileRow:
    """Which file of a folder belongs to a case."""

    case_id: str
    file: str


def read_members(path: Path, pseudonyms: Pseudonyms) -> tuple[MemberRow, ...]:
    """A table of cases and roles. Raises `InputError` naming the file and every line that is wrong."""
    sheet, case_of = _sheet(path, pseudonyms, (ROLE_COLUMN,))
    known = {split.value: split for split in Split}
    wrong = [row.line for row in sheet.rows if row.cells[ROLE_COLUMN].casefold() not in known]
    if wrong:
        raise sheet.refused(f"the role is none of {', '.join(known)}", "Use these words only.", lines=wrong)
    said = [(row, case_of(row), known[row.cells[ROLE_COLUMN].casefold()]) for row in sheet.rows]
    roles = agreed(sheet, said, "the same case with different roles")
    return tuple(MemberRow(case_id, role) for case_id, role in roles.items())


def read_outputs(path: Path, pseudonyms: Pseudonyms, labels: Sequence[str]) -> tuple[OutputRow, ...]:
    """A table of cases with one column of probabilities a label; other columns are not read.

    Raises `InputError` naming the file and every line whose figures are no probabilities that sum to one.
    """
    sheet, case_of = _sheet(path, pseudonyms, labels)
    columns = [label.casefold() for label in labels]
    found = {row.line: _figures(row, columns) for row in sheet.rows}
    wrong = [line for line, figures in found.items() if figures is None]
    if wrong:
        raise sheet.refused("a figure is no probability from 0 to 1", "Export probabilities, not logits.", lines=wrong)
    sums = [line for line, figures in found.items() if figures and abs(sum(figures) - 1) > SUM_TOLERANCE]
    if sums:
        raise sheet.refused("the probabilities do not sum to one", "Export the softmax of every label.", lines=sums)
    said = [(row, case_of(row), figures) for row in sheet.rows if (figures := found[row.line])]
    outputs = agreed(sheet, said, "the same case with different outputs")
    return tuple(OutputRow(case_id, figures) for case_id, figures in outputs.items())


def read_files(path: Path, pseudonyms: Pseudonyms) -> tuple[FileRow, ...]:
    """A table of cases and files. Raises `InputError` for a file that does not lie in the same folder."""
    sheet, case_of = _sheet(path, pseudonyms, (FILE_COLUMN,))
    outside = [row.line for row in sheet.rows if not _is_name(row.cells[FILE_COLUMN])]
    if outside:
        raise sheet.refused("the file is not a name in this folder", "Put the arrays beside the table.", lines=outside)
    files = agreed(sheet, [(row, case_of(row), row.cells[FILE_COLUMN]) for row in sheet.rows], "two files for a case")
    return tuple(FileRow(case_id, file) for case_id, file in files.items())


# --- private ---------------------------------------------------------------------------------------

_KEYED = re.compile(rf"[0-9a-f]{{{2 * PSEUDONYM_BYTES}}}")


def _sheet(path: Path, pseudonyms: Pseudonyms, others: Sequence[str]) -> tuple[Sheet, Callable[[SheetRow], str]]:
    """The table, and what gives the case of a row."""
    sheet = read_sheet(path, required=others)
    instance = INSTANCE_COLUMN.casefold()
    column = instance if instance in sheet.headers else CASE_COLUMN
    if column not in sheet.headers:
        raise sheet.refused(f"no column {INSTANCE_COLUMN}", f"Name the column of images {INSTANCE_COLUMN}.")
    if not sheet.rows:
        raise InputError(f"{sheet.name} has no row below its column names.", remedy="Export the table again.")
    nameless = [row.line for row in sheet.rows if not row.cells[column]]
    if nameless:
        raise sheet.refused(f"no {INSTANCE_COLUMN}", "Mend these lines and say it again.", lines=nameless)
    if column == instance:
        return sheet, lambda row: pseudonyms.uid("instance", row.cells[instance])
    unkeyed = [row.line for row in sheet.rows if not _KEYED.fullmatch(row.cells[column])]
    if unkeyed:
        what = f"the column {CASE_COLUMN} holds something else than keyed identifiers"
        raise sheet.refused(what, f"Name a column of UIDs {INSTANCE_COLUMN}.", lines=unkeyed)
    return sheet, lambda row: row.cells[column]


def _is_name(file: str) -> bool:
    return Path(file).name == file and file not in ("", "..")


def _figures(row: SheetRow, columns: Sequence[str]) -> tuple[float, ...] | None:
    try:
        figures = tuple(float(row.cells[column]) for column in columns)
    except ValueError:
        return None
    return figures if all(math.isfinite(one) and 0 <= one <= 1 for one in figures) else None
