"""Labels of a table with a map: each row finds its image, or is counted; mismatches are said both ways.

A row that could mean several images is refused with its line: which of them was meant is for the hospital to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain.cohort import CohortStore, EyeKey, LabelFact
from maintain.errors import InputError
from maintain.intake import (
    EyeColumns,
    InstanceColumn,
    MappedRow,
    MappedTable,
    Pseudonyms,
    describe_lines,
    read_mapped_labels,
)
from maintain.vocabulary import Eye
from maintain_policies import LabelMap, read_label_map


@dataclass(frozen=True, slots=True)
class Joined:
    """The answers by image, the lines of rows that no image has, and how many images no row is about."""

    facts: tuple[LabelFact, ...]
    strangers: tuple[int, ...]
    images_without_row: int


def read_joinable(path: Path, mapping: Path, pseudonyms: Pseudonyms) -> MappedTable:
    """Read a table by its map. Raises `InputError` with the places in the map, or the lines of the table."""
    said = read_label_map(mapping)
    return read_mapped_labels(path, _columns(said), said.labels, pseudonyms)


def join_labels(table: MappedTable, store: CohortStore) -> Joined:
    """Find the image of every row.

    Raises `InputError` with the lines of rows that could mean several images.
    """
    by_eye, known = store.cases_by_eye(), store.case_ids()
    found = {row.line: _cases_of(row, by_eye, known) for row in table.rows}
    several = [line for line, cases in found.items() if len(cases) > 1]
    if several:
        raise InputError(
            f"{table.name}, {describe_lines(several)}: there are several images of that patient, date and eye.",
            remedy="Join these rows by SOP Instance UID: `join: {instance: COLUMN}` in a map, or no map.",
        )
    facts = [
        LabelFact(case_id, name, value)
        for row in table.rows
        for case_id in found[row.line]
        for name, value in row.answers.items()
    ]
    met = {case_id for cases in found.values() for case_id in cases}
    strangers = tuple(line for line, cases in found.items() if not cases)
    return Joined(tuple(dict.fromkeys(facts)), strangers, len(known - met))


# --- private ---------------------------------------------------------------------------------------


def _columns(said: LabelMap) -> InstanceColumn | EyeColumns:
    if "instance" in said.join:
        return InstanceColumn(said.join["instance"])
    return EyeColumns(
        patient=said.join["patient"],
        date=said.join["date"],
        eye=said.join["eye"],
        date_form=said.date_form,
        issuer=said.join.get("issuer"),
        issued_by=said.join.get("issued_by"),
        eyes={word: Eye(code) for code, word in said.eyes.items()},
    )


def _cases_of(row: MappedRow, by_eye: Mapping[EyeKey, tuple[str, ...]], known: frozenset[str]) -> tuple[str, ...]:
    if isinstance(row.key, str):
        return (row.key,) if row.key in known else ()
    return by_eye.get(row.key, ())
