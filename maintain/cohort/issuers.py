"""Who issued the numbers of this cohort's patients, and whether a search for a person could have missed one.

A patient is a keyed digest of issuer and number, so whoever asks by number alone is found only if every issuer is
known. Their texts are typed by people and may hold anything: they are kept sealed, and this room has no key.
A patient's link says that the issuer behind the pseudonym was kept; patients of earlier versions have none until a
file of theirs is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.sqlite import insert

from maintain.cohort.reading import joined
from maintain.database import UnitOfWork, tables
from maintain.vocabulary import FileStatus


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a search by a person's number can reach.

    `issuers`: how many are kept; `intakes_without`: folders whose files never told theirs; `unlinked`: studies whose
    PatientID names nobody; `unknown_links`: patients of whom an earlier version did not ask.
    """

    issuers: int
    intakes_without: int
    unlinked: int
    unknown_links: int

    @property
    def complete(self) -> bool:
        """Whether somebody who was tried under every issuer and not found is not in the cohort."""
        return not (self.intakes_without or self.unlinked or self.unknown_links)

    def told(self) -> tuple[str, ...]:
        """What stands in the way, each with what to do; empty when the search is complete."""
        found = []
        if self.intakes_without:
            found.append(
                f"{_many(self.intakes_without, 'folder')} read before issuers were kept: say `maintain cohort ingest "
                "FOLDER` again for each, or for wherever its files are now; they are then read once more."
            )
        elif self.unknown_links:
            found.append(
                f"{_many(self.unknown_links, 'patient')} of an earlier version, whose files lie in no folder that was "
                "read: read their files again from wherever they are now."
            )
        if self.unlinked:
            found.append(
                f"{_many(self.unlinked, 'study', 'studies')} whose PatientID names nobody: ask the archive whose they "
                "are, and bar the images by their pseudonyms (`maintain cohort suppress CASE --reason data-subject`)."
            )
        return tuple(found)


def keep_issuers(unit: UnitOfWork, issuers: Mapping[str, bytes]) -> None:
    """Keep the sealed text of each mark that is not known yet."""
    rows = [{"mark": mark, "sealed": sealed} for mark, sealed in sorted(issuers.items())]
    unit.execute_many(insert(tables.issuer).on_conflict_do_nothing(index_elements=["mark"]), rows)


def sealed_issuers(unit: UnitOfWork) -> tuple[bytes, ...]:
    """The sealed text of every issuer, in the order of their marks; the empty issuer is not among them."""
    return tuple(row.sealed for row in unit.rows(select(tables.issuer.c.sealed).order_by(tables.issuer.c.mark)))


def intakes_without_issuers(unit: UnitOfWork) -> int:
    """How many folders an earlier version read of which a patient's issuer is still not known."""
    file, ingest = tables.file, tables.ingest
    earlier = select(ingest.c.source_id).where(ingest.c.issuers.is_(None))
    sources = (
        joined(func.count(file.c.source_id.distinct()))
        .join(file, file.c.case_id == tables.image_case.c.case_id)
        .where(tables.patient.c.linked.is_(None))
        .where(file.c.status != FileStatus.REJECTED, file.c.source_id.in_(earlier))
    )
    return int(unit.scalar(sources))


def unlinked_people(unit: UnitOfWork) -> tuple[int, int]:
    """How many patients with images are studies that name nobody, and of how many it was never asked.

    A patient of whom there is only a withdrawal, kept for the day on which images come, is neither.
    """
    patient, study = tables.patient, tables.study
    seen = exists().where(study.c.patient == patient.c.patient)
    false, unknown = (
        unit.scalar(select(func.count()).select_from(patient).where(patient.c.linked.is_(value), seen))
        for value in (False, None)
    )
    return int(false), int(unknown)


def coverage(unit: UnitOfWork) -> Coverage:
    """What a search by a person's number can reach in this cohort."""
    unlinked, unknown = unlinked_people(unit)
    kept = int(unit.scalar(select(func.count()).select_from(tables.issuer)))
    return Coverage(kept, intakes_without_issuers(unit), unlinked, unknown)


# --- private ---------------------------------------------------------------------------------------


def _many(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"
