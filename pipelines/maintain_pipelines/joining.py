"""Labels of a table with a map: each row finds its image, or is counted; mismatches are said both ways.

A row that could mean several images is refused with its line: which of them was meant is for the hospital to say. An
accession number means all images of its study, or of one eye in it; one that two studies have is refused so, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from maintain.cohort import CohortStore, EyeKey, LabelFact, NumberedImage
from maintain.errors import InputError
from maintain.intake import (
    AccessionColumns,
    EyeColumns,
    InstanceColumn,
    MappedRow,
    MappedTable,
    Pseudonyms,
    StudyKey,
    describe_lines,
    read_mapped_labels,
)
from maintain.vocabulary import Eye
from maintain_policies import LabelMap, read_label_map

#: The images that get the answers of one row.
Images: TypeAlias = tuple[str, ...]


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
    """Find the images of every row: one, or with an accession number those of its study.

    Raises `InputError` with the lines of rows that could mean several images or several studies.
    """
    known = store.case_ids()
    by_number, by_eye = store.images_by_accession(), store.cases_by_eye()
    meant = {row.line: _meanings(row, known, by_number, by_eye) for row in table.rows}
    _refuse_several(table, meant)
    found = {line: meanings[0] if meanings else () for line, meanings in meant.items()}
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


def _columns(said: LabelMap) -> InstanceColumn | AccessionColumns | EyeColumns:
    eyes = {word: Eye(code) for code, word in said.eyes.items()}
    if "instance" in said.join:
        return InstanceColumn(said.join["instance"])
    if "accession" in said.join:
        beside = said.join.get("eye"), said.join.get("issuer"), said.join.get("issued_by")
        return AccessionColumns(said.join["accession"], *beside, eyes)
    return EyeColumns(
        patient=said.join["patient"],
        date=said.join["date"],
        eye=said.join["eye"],
        date_form=said.date_form,
        issuer=said.join.get("issuer"),
        issued_by=said.join.get("issued_by"),
        eyes=eyes,
    )


def _meanings(
    row: MappedRow,
    known: frozenset[str],
    by_number: Mapping[str, Sequence[NumberedImage]],
    by_eye: Mapping[EyeKey, Sequence[str]],
) -> tuple[Images, ...]:
    """Everything that a row could mean."""
    if isinstance(row.key, str):
        return ((row.key,),) if row.key in known else ()
    if isinstance(row.key, StudyKey):
        return _in_studies(by_number.get(row.key.accession, ()), row.key.eye)
    return tuple((case_id,) for case_id in by_eye.get(row.key, ()))


def _in_studies(images: Sequence[NumberedImage], eye: Eye | None) -> tuple[Images, ...]:
    """The images of each study, or those of one eye: none in a study that has no image of it."""
    studies: dict[str, list[str]] = {}
    for image in images:
        found = studies.setdefault(image.study, [])
        if eye in (None, image.eye):
            found.append(image.case_id)
    return tuple(map(tuple, studies.values()))


def _refuse_several(table: MappedTable, meant: Mapping[int, Sequence[Images]]) -> None:
    several = [row for row in table.rows if len(meant[row.line]) > 1]
    if not several:
        return
    lines = f"{table.name}, {describe_lines(row.line for row in several)}"
    if isinstance(several[0].key, StudyKey):  # the rows of a table are all joined in one way
        raise InputError(
            f"{lines}: there are several studies with that accession number.",
            remedy="Join these rows by SOP Instance UID, or by patient, date and eye.",
        )
    raise InputError(
        f"{lines}: there are several images of that patient, date and eye.",
        remedy="Join these rows by SOP Instance UID: `join: {instance: COLUMN}` in a map, or no map.",
    )
