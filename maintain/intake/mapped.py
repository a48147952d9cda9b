"""Tables of labels with column names of their own: a map says which columns mean what.

A row says its image by SOP Instance UID, or its eye by patient, date and side. Either is keyed here; which images an
eye has only the cohort knows, so the key leaves with the number of its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from maintain.intake.identity import Pseudonyms
from maintain.intake.sheets import Sheet, SheetRow, read_sheet
from maintain.intake.tables import agreed, check_label_name, distinct, label_text, refuse_lines, refuse_overlong
from maintain.vocabulary import Eye

#: One eye of a patient on one day (ISO).
EyeOfDay: TypeAlias = tuple[str, str, Eye]

#: What an eye is called where a map does not say: DICOM's code, Latin, plain English (lower case).
EYE_WORDS: Mapping[str, Eye] = {
    "r": Eye.RIGHT,
    "od": Eye.RIGHT,
    "right": Eye.RIGHT,
    "l": Eye.LEFT,
    "os": Eye.LEFT,
    "left": Eye.LEFT,
    "b": Eye.BOTH,
    "ou": Eye.BOTH,
    "both": Eye.BOTH,
}


@dataclass(frozen=True, slots=True)
class InstanceColumn:
    """The column of SOP Instance UIDs."""

    instance: str


@dataclass(frozen=True, slots=True)
class EyeColumns:
    """The columns of patient, date and eye; who issued the patients' numbers, in a column or for all of them.

    `date_form` is as `strptime` takes it; `eyes` are the table's words for eyes, instead of `EYE_WORDS`.
    """

    patient: str
    date: str
    eye: str
    date_form: str
    issuer: str | None = None
    issued_by: str | None = None
    eyes: Mapping[str, Eye] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MappedRow:
    """One line: its number, the keyed image or eye it is about, and its answers by label."""

    line: int
    key: str | EyeOfDay
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A table of labels that was read by a map, and the keyed mark of what it holds.

    `issuers` are the texts of who issued its patients' numbers; they stay in memory or are sealed.
    """

    name: str
    rows: tuple[MappedRow, ...]
    contents: str
    issuers: tuple[str, ...] = field(default=(), repr=False)


def read_mapped_labels(
    path: Path, join: InstanceColumn | EyeColumns, labels: Mapping[str, str], pseudonyms: Pseudonyms
) -> MappedTable:
    """Read the columns of these labels (name -> column); other columns are not read, and an empty cell is no label.

    Raises `InputError` naming the file and every line that is wrong or contradicts another one.
    """
    sheet = read_sheet(path, required=(*_columns(join), *labels.values()))
    columns = {name: column.casefold() for name, column in labels.items()}
    for name, column in columns.items():
        check_label_name(sheet, name, column=column)
    keys = _instances(sheet, join, pseudonyms) if isinstance(join, InstanceColumn) else _eyes(sheet, join, pseudonyms)
    refuse_overlong(sheet, tuple(columns.values()))
    said = [
        (row, (keys[row.line], name), label_text(value))
        for row in sheet.rows
        for name, column in columns.items()
        if (value := row.cells[column])
    ]
    agreed(sheet, said, "the same image with different labels")
    answers: dict[int, dict[str, str]] = {row.line: {} for row in sheet.rows}
    for row, (_, name), value in said:
        answers[row.line][name] = value
    rows = tuple(MappedRow(row.line, keys[row.line], answers[row.line]) for row in sheet.rows)
    issuers = distinct(_issuer(row, join) for row in sheet.rows) if isinstance(join, EyeColumns) else ()
    return MappedTable(sheet.name, rows, pseudonyms.contents(sheet.digest), issuers)


# --- private ---------------------------------------------------------------------------------------


def _columns(join: InstanceColumn | EyeColumns) -> tuple[str, ...]:
    if isinstance(join, InstanceColumn):
        return (join.instance,)
    return (join.patient, join.date, join.eye, *([join.issuer] if join.issuer else []))


def _instances(sheet: Sheet, join: InstanceColumn, pseudonyms: Pseudonyms) -> Mapping[int, str | EyeOfDay]:
    column = join.instance.casefold()
    refuse_lines(sheet, [row for row in sheet.rows if not row.cells[column]], "no SOP Instance UID")
    return {row.line: pseudonyms.uid("instance", row.cells[column]) for row in sheet.rows}


def _eyes(sheet: Sheet, join: EyeColumns, pseudonyms: Pseudonyms) -> Mapping[int, str | EyeOfDay]:
    patients = {row.line: _patient(row, join, pseudonyms) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if patients[row.line] is None], "the patient names nobody")
    days = {row.line: _day(row.cells[join.date.casefold()], join.date_form) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if days[row.line] is None], "the date is not one of the map's form")
    words = {word.casefold(): eye for word, eye in join.eyes.items()} or EYE_WORDS
    eyes = {row.line: words.get(row.cells[join.eye.casefold()].casefold()) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if eyes[row.line] is None], "the eye is none of the map's words")
    return {
        line: (patient, day, eye)
        for line, patient in patients.items()
        if patient is not None and (day := days[line]) is not None and (eye := eyes[line]) is not None
    }


def _patient(row: SheetRow, join: EyeColumns, pseudonyms: Pseudonyms) -> str | None:
    return pseudonyms.patient(row.cells[join.patient.casefold()], _issuer(row, join))


def _issuer(row: SheetRow, join: EyeColumns) -> str | None:
    return row.cells[join.issuer.casefold()] if join.issuer else join.issued_by


def _day(text: str, form: str) -> str | None:
    """The day in ISO, or None; only what is written exactly as the form says, so that 1.2.24 is nobody's guess."""
    try:
        day = datetime.strptime(text, form)
    except ValueError:
        return None
    return day.date().isoformat() if day.strftime(form) == text else None
