"""Who a request is about: an identifier in, the pseudonyms that it may stand for out.

The same PatientID means different people under different issuers. Whoever names the issuer is believed; otherwise the
identifier is tried alone and under every issuer that an intake ever met.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from maintain.errors import InputError
from maintain.intake.identity import Pseudonyms, clean
from maintain.intake.sheets import DELIMITERS, Sheet, SheetRow, describe_lines, read_sheet
from maintain.intake.tables import ISSUER_COLUMN, PATIENT_COLUMN, refuse_lines
from maintain.vocabulary import LegalBasis, Reason

#: Columns of a table of requests; the first three must be there.
REASON_COLUMN, BASIS_COLUMN, RECEIVED_COLUMN, DUE_COLUMN, GROUP_COLUMN = (
    "reason",
    "basis",
    "received",
    "due",
    "request",
)

#: How like one of these a column's name, or a word of it, must be to be taken for it misspelt (of 1).
ALIKE = 0.8

#: Reasons that a person can have.
PERSONAL = tuple(reason for reason in Reason if reason.personal)

#: A longer line is no PatientID (DICOM PS3.5, VR LO: 64 characters) but the wrong file.
LONGEST_IDENTIFIER = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """One person: the pseudonyms to look for, and whether an issuer was named that no intake ever met."""

    tried: tuple[str, ...]
    stranger: bool


@dataclass(frozen=True, slots=True)
class WishRow:
    """The requests of a table: who, and what the letter said. Dates are None where the cell is empty."""

    lines: tuple[int, ...]
    wanted: tuple[Wanted, ...]
    reason: Reason
    basis: LegalBasis | None
    received: date | None
    due: date | None


def wanted(patient_id: str, issuer: str | None, pseudonyms: Pseudonyms, issuers: Collection[str]) -> Wanted:
    """Whom an identifier may mean; `issuers` are those that intakes met. Raises `InputError` when it names nobody."""
    names = ("", *issuers) if issuer is None else (issuer,)
    tried = [pseudonyms.patient(patient_id, name) for name in names]
    found = tuple(dict.fromkeys(patient for patient in tried if patient is not None))
    if not found or len(patient_id) > LONGEST_IDENTIFIER:
        raise InputError("An identifier names nobody.", remedy="Give the PatientID as the letter or the PACS has it.")
    known = {clean(name) for name in issuers}
    return Wanted(found, issuer is not None and clean(issuer) not in known)


def read_identifiers(lines: Iterable[str]) -> tuple[str, ...]:
    """The identifiers of a text, one a line, each once; empty lines are left out.

    Raises `InputError` for a table: its rows would be looked for as they stand, and nobody would be found.
    """
    found = tuple(dict.fromkeys(text for line in lines if (text := clean(line.removeprefix("\ufeff")))))
    heads = {cell.strip(' "').casefold() for text in found[:1] for cell in _CELLS.split(text)}
    if PATIENT_COLUMN.casefold() in heads:
        raise InputError(
            "The list begins with the column names of a table.",
            remedy="Give a table with `--table FILE`, and a list as one PatientID a line and nothing else.",
        )
    return found


def read_wishes(path: Path, pseudonyms: Pseudonyms, issuers: Collection[str]) -> tuple[WishRow, ...]:
    """The requests of a table; rows that share a word in the column `request` are one. Raises `InputError` with lines.

    What the word says is the sender's and is not kept.
    """
    sheet = read_sheet(path, required=(PATIENT_COLUMN, REASON_COLUMN))
    _refuse_misspelt(sheet)
    _refuse_unclear(sheet)
    people = [(row, _wanted(row, pseudonyms, issuers)) for row in sheet.rows]
    refuse_lines(sheet, [row for row, who in people if who is None], "the PatientID names nobody")
    groups: dict[str, list[tuple[SheetRow, Wanted]]] = {}
    for number, (row, who) in enumerate(people):
        word = row.cells.get(GROUP_COLUMN, "")
        if who is not None:
            groups.setdefault(f"={word}" if word else f"#{number}", []).append((row, who))
    return tuple(_wish(sheet, rows) for rows in groups.values())


# --- private ---------------------------------------------------------------------------------------


_CELLS = re.compile("[" + re.escape("".join(DELIMITERS)) + "]")


def _refuse_misspelt(sheet: Sheet) -> None:
    """A column that was to be one of ours would be passed over in silence, and its dates with it."""
    known = tuple(name.casefold() for name in (PATIENT_COLUMN, ISSUER_COLUMN, *_TOLD, GROUP_COLUMN))
    for header in sheet.headers:
        words = (header, *_NO_LETTER.split(header)) if header not in known else ()
        near = [name for word in words for name in get_close_matches(word, known, n=1, cutoff=ALIKE)]
        if near:
            column = next(
                name for name in (PATIENT_COLUMN, ISSUER_COLUMN, *_TOLD, GROUP_COLUMN) if name.casefold() in near
            )
            raise sheet.refused(
                f"a column is nearly called {column}, and would not be read", f"Call it {column}, or leave it out."
            )


def _refuse_unclear(sheet: Sheet) -> None:
    if not sheet.rows:
        raise sheet.refused("no request below the column names", "Write one row for each person.")
    reasons, bases = [reason.value for reason in PERSONAL], [basis.value for basis in LegalBasis]
    unclear = [row for row in sheet.rows if row.cells[REASON_COLUMN].casefold() not in reasons]
    refuse_lines(sheet, unclear, f"the reason is none of {', '.join(reasons)}")
    other = [row for row in sheet.rows if row.cells.get(BASIS_COLUMN, "").casefold() not in ("", *bases)]
    refuse_lines(sheet, other, f"the basis is none of {', '.join(bases)}")
    for column in (RECEIVED_COLUMN, DUE_COLUMN):
        undated = [row for row in sheet.rows if not _is_date(row.cells.get(column, ""))]
        refuse_lines(sheet, undated, f"{column} is no date of the form 2026-03-31")


def _wanted(row: SheetRow, pseudonyms: Pseudonyms, issuers: Collection[str]) -> Wanted | None:
    issuer = row.cells.get(ISSUER_COLUMN.casefold()) or None
    try:
        return wanted(row.cells[PATIENT_COLUMN.casefold()], issuer, pseudonyms, issuers)
    except InputError:
        return None


def _wish(sheet: Sheet, rows: Sequence[tuple[SheetRow, Wanted]]) -> WishRow:
    said = {tuple(row.cells.get(name, "").casefold() for name in _TOLD) for row, _ in rows}
    lines = tuple(row.line for row, _ in rows)
    if len(said) > 1:
        raise InputError(
            f"{sheet.name}, {describe_lines(lines)}: one request with different reasons, bases or dates.",
            remedy="Say the same in every row of it, or make it several requests.",
        )
    reason, basis, received, due = said.pop()
    people = tuple(dict.fromkeys(who for _, who in rows))
    return WishRow(lines, people, Reason(reason), LegalBasis(basis) if basis else None, _date(received), _date(due))


_NO_LETTER = re.compile(r"[\W\d_]+")

_TOLD = (REASON_COLUMN, BASIS_COLUMN, RECEIVED_COLUMN, DUE_COLUMN)


def _is_date(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
