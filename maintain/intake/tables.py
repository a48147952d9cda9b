"""Labels and consents that come as tables: identifiers in, pseudonyms out.

Rows that contradict each other are refused, not resolved: which of two labels is right is for the
hospital to say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from maintain.intake.identity import Pseudonyms
from maintain.intake.sheets import Sheet, SheetRow, read_sheet
from maintain.predicate import LABEL_NAME
from maintain.vocabulary import ConsentStatus

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

#: The column that says which image a label belongs to.
INSTANCE_COLUMN = "SOPInstanceUID"

#: Columns of a consent register.
PATIENT_COLUMN, ISSUER_COLUMN, STATUS_COLUMN, DATE_COLUMN = "PatientID", "IssuerOfPatientID", "status", "date"

#: What a register may say; "unknown" is what it says by leaving a patient out.
STATUSES: Mapping[str, ConsentStatus] = {
    "given": ConsentStatus.GIVEN,
    "withdrawn": ConsentStatus.WITHDRAWN,
}

#: Columns that would write identifiers down as labels (lower case, letters only); refused by name.
IDENTIFYING_COLUMNS = frozenset(
    (
        "accession",
        "accessionno",
        "accessionnumber",
        "birthdate",
        "dateofbirth",
        "dob",
        "file",
        "filename",
        "firstname",
        "fullname",
        "issuerofpatientid",
        "lastname",
        "medicalrecordnumber",
        "mrn",
        "name",
        "path",
        "patient",
        "patientbirthdate",
        "patientid",
        "patientname",
        "seriesinstanceuid",
        "studyid",
        "studyinstanceuid",
        "surname",
    )
)

#: A label is an answer, not a comment: free text may name people.
LONGEST_LABEL = 64


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One recorded answer about one case."""

    case_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of labels: the names of its columns, every answer in it, and the keyed mark of what it holds."""

    names: tuple[str, ...]
    rows: tuple[LabelRow, ...]
    contents: str


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """What the register says of one patient, and since when."""

    patient: str
    status: ConsentStatus
    date: str | None


@dataclass(frozen=True, slots=True)
class ConsentTable:
    """A consent register, and who issued its PatientIDs: texts that stay in memory or are sealed."""

    rows: tuple[ConsentRow, ...]
    issuers: tuple[str, ...] = field(default=(), repr=False)


def read_labels(path: Path, pseudonyms: Pseudonyms) -> LabelTable:
    """Read a table of labels: the instance column, and a column for each label; an empty cell is no label.

    Raises `InputError` naming the file and every line that is wrong or contradicts another one.
    """
    sheet = read_sheet(path, required=(INSTANCE_COLUMN,))
    key = INSTANCE_COLUMN.casefold()
    names = tuple(header for header in sheet.headers if header != key)
    _check_names(sheet, names)
    refuse_lines(sheet, [row for row in sheet.rows if not row.cells[key]], "no SOPInstanceUID")
    refuse_overlong(sheet, names)
    said = [
        (row, (pseudonyms.uid("instance", row.cells[key]), name), label_text(value))
        for row in sheet.rows
        for name in names
        if (value := row.cells[name])
    ]
    answers = agreed(sheet, said, "the same image with different labels")
    rows = tuple(LabelRow(case_id, name, value) for (case_id, name), value in answers.items())
    return LabelTable(names, rows, pseudonyms.contents(sheet.digest))


def read_consents(path: Path, pseudonyms: Pseudonyms) -> ConsentTable:
    """Read a consent register. Raises `InputError` naming the file and every line that is wrong."""
    sheet = read_sheet(path, required=(PATIENT_COLUMN, STATUS_COLUMN))
    unclear = [row for row in sheet.rows if row.cells[STATUS_COLUMN].casefold() not in STATUSES]
    refuse_lines(sheet, unclear, f"the status is none of {', '.join(STATUSES)}")
    undated = [row for row in sheet.rows if not _is_date(row.cells.get(DATE_COLUMN, ""))]
    refuse_lines(sheet, undated, "the date is not one of the form 2026-03-31")
    patients = [(row, _patient(row, pseudonyms)) for row in sheet.rows]
    refuse_lines(sheet, [row for row, patient in patients if patient is None], "the PatientID names nobody")
    said = [
        (row, patient, (STATUSES[row.cells[STATUS_COLUMN].casefold()], row.cells.get(DATE_COLUMN) or None))
        for row, patient in patients
        if patient is not None
    ]
    register = agreed(sheet, said, "the same patient with different entries")
    rows = tuple(ConsentRow(patient, status, day) for patient, (status, day) in register.items())
    return ConsentTable(rows, distinct(row.cells.get(ISSUER_COLUMN.casefold()) for row in sheet.rows))


def agreed(sheet: Sheet, said: list[tuple[SheetRow, _Key, _Value]], contradiction: str) -> Mapping[_Key, _Value]:
    """One value a key, in the order of the file. Raises `InputError` with all lines that disagree."""
    agreed: dict[_Key, _Value] = {}
    first: dict[_Key, int] = {}
    lines: set[int] = set()
    for row, key, value in said:
        if agreed.setdefault(key, value) != value:
            lines |= {first[key], row.line}
        first.setdefault(key, row.line)
    if lines:
        raise sheet.refused(contradiction, "Keep the entry that is right.", lines=lines)
    return agreed


def check_label_name(sheet: Sheet, name: str, *, column: str) -> None:
    """Raise `InputError` where a column's header or the label's name identifies people, or no policy could write it."""
    for word in (column, name):
        if "".join(filter(str.isalpha, word)) in IDENTIFYING_COLUMNS:
            raise sheet.refused(
                f"the column {word} identifies patients or files and cannot be a label", "Remove that column."
            )
    if LABEL_NAME.fullmatch(name) is None:
        raise sheet.refused(
            f"column {sheet.headers.index(column) + 1} has a name that no policy could write",
            "Use small letters, digits and single - or _, for example retinopathy-grade.",
        )


def refuse_overlong(sheet: Sheet, columns: tuple[str, ...]) -> None:
    """Raise `InputError` with the lines where a label in one of these columns is longer than an answer."""
    overlong = [row for row in sheet.rows if any(len(row.cells[column]) > LONGEST_LABEL for column in columns)]
    refuse_lines(sheet, overlong, f"a label of more than {LONGEST_LABEL} characters")


def refuse_lines(sheet: Sheet, rows: list[SheetRow], what: str) -> None:
    """Raise `InputError` with the lines of these rows, if there are any."""
    if rows:
        raise sheet.refused(what, "Mend these lines and read the file again.", lines=[row.line for row in rows])


def distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Each text that is there once, in the order in which they come."""
    return tuple(dict.fromkeys(text for text in texts if text))


def label_text(value: str) -> str:
    """A label as it is compared and kept: NFC."""
    return unicodedata.normalize("NFC", value)


# --- private ---------------------------------------------------------------------------------------


def _check_names(sheet: Sheet, names: tuple[str, ...]) -> None:
    if not names:
        raise sheet.refused("no column beside SOPInstanceUID", "Add a column with the labels, named after them.")
    for name in names:
        check_label_name(sheet, name, column=name)


def _patient(row: SheetRow, pseudonyms: Pseudonyms) -> str | None:
    return pseudonyms.patient(row.cells[PATIENT_COLUMN.casefold()], row.cells.get(ISSUER_COLUMN.casefold()))


def _is_date(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
