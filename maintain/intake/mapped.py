"""Tables of labels with column names of their own: a map says which columns mean what.

A row says its image by SOP Instance UID, its study by accession number, or its eye by patient, date and side. Each is
keyed here; which images a study or an eye has only the cohort knows, so the key leaves with the number of its line.
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
class AccessionColumns:
    """The column of accession numbers; that of the eye, and who issued the numbers, where the table or its map says so.

    `eyes` are the table's words for eyes, instead of `EYE_WORDS`.
    """

    accession: str
    eye: str | None = None
    issuer: str | None = None
    issued_by: str | None = None
    eyes: Mapping[str, Eye] = field(default_factory=dict)


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


#: Which columns say the image.
JoinColumns: TypeAlias = InstanceColumn | AccessionColumns | EyeColumns


@dataclass(frozen=True, slots=True)
class StudyKey:
    """A study by its keyed accession number: all its images, or those of one eye."""

    accession: str
    eye: Eye | None


@dataclass(frozen=True, slots=True)
class MappedRow:
    """One line: its number, the keyed image, study or eye it is about, and its answers by label."""

    line: int
    key: str | StudyKey | EyeOfDay
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


def read_mapped_labels(path: Path, join: JoinColumns, labels: Mapping[str, str], pseudonyms: Pseudonyms) -> MappedTable:
    """Read the columns of these labels (name -> column); other columns are not read, and an empty cell is no label.

    Raises `InputError` naming the file and every line that is wrong or contradicts another one.
    """
    sheet = read_sheet(path, required=(*_columns(join), *labels.values()))
    columns = {name: column.casefold() for name, column in labels.items()}
    for name, column in columns.items():
        check_label_name(sheet, name, column=column)
    keys = _keys(sheet, join, pseudonyms)
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


def _columns(join: JoinColumns) -> tuple[str, ...]:
    if isinstance(join, InstanceColumn):
        return (join.instance,)
    if isinstance(join, AccessionColumns):
        return tuple(column for column in (join.accession, join.eye, join.issuer) if column)
    return (join.patient, join.date, join.eye, *([join.issuer] if join.issuer else []))


def _keys(sheet: Sheet, join: JoinColumns, pseudonyms: Pseudonyms) -> Mapping[int, str | StudyKey | EyeOfDay]:
    """What each line is about."""
    if isinstance(join, InstanceColumn):
        return _instances(sheet, join, pseudonyms)
    if isinstance(join, AccessionColumns):
        return _studies(sheet, join, pseudonyms)
    return _eyes(sheet, join, pseudonyms)


def _instances(sheet: Sheet, join: InstanceColumn, pseudonyms: Pseudonyms) -> Mapping[int, str]:
    column = join.instance.casefold()
    refuse_lines(sheet, [row for row in sheet.rows if not row.cells[column]], "no SOP Instance UID")
    return {row.line: pseudonyms.uid("instance", row.cells[column]) for row in sheet.rows}


def _studies(sheet: Sheet, join: AccessionColumns, pseudonyms: Pseudonyms) -> Mapping[int, StudyKey]:
    column = join.accession.casefold()
    numbers = {row.line: pseudonyms.accession(row.cells[column], _issuer(row, join)) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if numbers[row.line] is None], "no accession number")
    sides: Mapping[int, Eye | None] = _sides(sheet, join.eye, join.eyes) if join.eye else {}
    return {line: StudyKey(number, sides.get(line)) for line, number in numbers.items() if number is not None}


def _eyes(sheet: Sheet, join: EyeColumns, pseudonyms: Pseudonyms) -> Mapping[int, EyeOfDay]:
    patients = {row.line: _patient(row, join, pseudonyms) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if patients[row.line] is None], "the patient names nobody")
    days = {row.line: _day(row.cells[join.date.casefold()], join.date_form) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if days[row.line] is None], "the date is not one of the map's form")
    eyes = _sides(sheet, join.eye, join.eyes)
    return {
        line: (patient, day, eyes[line])
        for line, patient in patients.items()
        if patient is not None and (day := days[line]) is not None
    }


def _sides(sheet: Sheet, column: str, words: Mapping[str, Eye]) -> Mapping[int, Eye]:
    """The eye of each line, in the map's words or the usual ones."""
    known = {word.casefold(): eye for word, eye in words.items()} or EYE_WORDS
    eyes = {row.line: known.get(row.cells[column.casefold()].casefold()) for row in sheet.rows}
    refuse_lines(sheet, [row for row in sheet.rows if eyes[row.line] is None], "the eye is none of the map's words")
    return {line: eye for line, eye in eyes.items() if eye is not None}


def _patient(row: SheetRow, join: EyeColumns, pseudonyms: Pseudonyms) -> str | None:
    return pseudonyms.patient(row.cells[join.patient.casefold()], _issuer(row, join))


def _issuer(row: SheetRow, join: EyeColumns | AccessionColumns) -> str | None:
    return row.cells[join.issuer.casefold()] if join.issuer else join.issued_by


def _day(text: str, form: str) -> str | None:
    """The day in ISO, or None; only what is written exactly as the form says, so that 1.2.24 is nobody's guess."""
    try:
        day = datetime.strptime(text, form)
    except ValueError:
        return None
    return day.date().isoformat() if day.strftime(form) == text else None
