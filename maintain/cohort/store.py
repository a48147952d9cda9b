"""The cohort's rows: sources and files, patients, devices, images, labels, consents.

One store over one open unit of work; whoever opened it decides what belongs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, not_, or_, select, update

from maintain.clock import timestamp
from maintain.cohort.answers import write_consents, write_labels
from maintain.cohort.facts import (
    Arrival,
    CohortStatus,
    ConsentCounts,
    ConsentFact,
    EyeKey,
    FileOutcome,
    KnownFile,
    LabelCounts,
    LabelFact,
    LabelVersion,
    NumberedImage,
    Patient,
)
from maintain.cohort.filing import PERSONAL_CONFLICTS, file_arrivals
from maintain.cohort.reading import (
    joined,
    read_cases,
    read_cases_by_eye,
    read_images_by_accession,
    read_label_history,
)
from maintain.cohort.status import count_cohort
from maintain.cohort.where import listed
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.records import Case
from maintain.vocabulary import ConsentStatus, FileStatus

#: Arrivals that are looked up in one query; SQLite takes at most 32,766 parameters in a statement.
JUDGED_TOGETHER = 2_000


@dataclass(frozen=True, slots=True)
class CohortStore:
    """Reads and writes the cohort inside one unit of work."""

    unit: UnitOfWork

    # sources

    def source(self, kind: str, place: str, *, key_id: str) -> int:
        """The number of a source, known or new; `place` is the pseudonym of where it lies.

        Raises `InputError` when the cohort was read under another pseudonym key: the same patient
        would become two.
        """
        table = tables.source
        if self.foreign_keys(key_id):
            raise InputError(
                "This cohort was read under another pseudonym key.",
                remedy="Restore the key of this workspace; with another one, start a new workspace.",
            )
        root = f"{key_id}:{place}"
        wanted = select(table.c.id).where(and_(table.c.kind == kind, table.c.root == root))
        found = self.unit.scalar(wanted)
        if found is None:
            self.unit.execute(insert(table), {"kind": kind, "root": root})
            found = self.unit.scalar(wanted)
        return int(found)

    def begin_ingest(
        self, source: int, *, code: str, now: datetime, actor: str | None = None, contents: str | None = None
    ) -> int:
        """Open the record of one intake; it stays unfinished if the intake is killed.

        `contents` is the keyed mark of what a table held: a file of the same name may hold something else next week.
        """
        row = {"source_id": source, "started": timestamp(now), "counts": {}, "code": code, "issuers": True}
        result = self.unit.connection.execute(insert(tables.ingest), {**row, "actor": actor, "contents": contents})
        return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

    def finish_ingest(self, ingest: int, counts: Mapping[str, int], *, now: datetime) -> None:
        """Close the record of an intake with what it counted."""
        done = {"finished": timestamp(now), "counts": dict(counts)}
        self.unit.execute(update(tables.ingest).where(tables.ingest.c.id == ingest).values(done))

    def foreign_keys(self, key_id: str) -> bool:
        """Whether anything was read under another pseudonym key than this one."""
        return self.unit.row(_read_under_another(key_id).limit(1)) is not None

    def unfinished_sources(self) -> int:
        """How many sources there are whose latest intake did not come to its end."""
        table = tables.ingest
        latest = select(func.max(table.c.id)).group_by(table.c.source_id)
        return len(self.unit.rows(select(table.c.id).where(table.c.id.in_(latest), table.c.finished.is_(None))))

    # writing

    def known_files(self, source: int) -> Mapping[str, KnownFile]:
        """Files that need not be read again while they look the same.

        Those refused for a person's wish are left out: consent can be given again. So are those of patients whose
        issuer, and with it their studies' accession numbers, an earlier version did not keep: only the file tells them.
        """
        file, image = tables.file, tables.image_case
        untold = joined(image.c.case_id).where(tables.patient.c.linked.is_(None))
        owner = and_(file.c.case_id == image.c.case_id, file.c.status == FileStatus.ACCEPTED)
        statement = (
            select(file.c.path, file.c.size, file.c.mtime_ns, image.c.pixels)
            .join(image, owner, isouter=True)
            .where(file.c.source_id == source, or_(file.c.reason.is_(None), file.c.reason.not_in(PERSONAL_CONFLICTS)))
            .where(or_(file.c.case_id.is_(None), file.c.case_id.not_in(untold)))
        )
        return {row.path: KnownFile(row.size, row.mtime_ns, row.pixels) for row in self.unit.rows(statement)}

    def add(self, source: int, arrivals: Sequence[Arrival]) -> tuple[FileOutcome, ...]:
        """File a batch. Known instances become duplicates or conflicts; nothing known is overwritten."""
        parts = [arrivals[at : at + JUDGED_TOGETHER] for at in range(0, len(arrivals), JUDGED_TOGETHER)]
        return tuple(outcome for part in parts for outcome in file_arrivals(self.unit, source, part))

    def record_labels(self, facts: Sequence[LabelFact], *, now: datetime, ingest: int | None = None) -> LabelCounts:
        """Record answers, read by this intake; a changed one is a new version."""
        return write_labels(self.unit, facts, now=now, ingest=ingest)

    def record_consents(self, facts: Sequence[ConsentFact]) -> ConsentCounts:
        """Record what a consent register says."""
        return write_consents(self.unit, facts)

    # reading

    def cases(self) -> tuple[Case, ...]:
        """Every case with its latest labels, ordered by case."""
        return read_cases(self.unit)

    def case(self, case_id: str) -> Case:
        """One case. Raises `InputError` when there is none with that pseudonym."""
        found = read_cases(self.unit, tables.image_case.c.case_id == case_id)
        if not found:
            raise InputError(
                "The cohort has no such case.",
                remedy="Cases are named by keyed pseudonyms; `maintain plan POLICY --json` lists those of a policy.",
            )
        return found[0]

    def label_history(self, case_id: str) -> tuple[LabelVersion, ...]:
        """Every answer ever recorded about a case, by label and oldest first."""
        return read_label_history(self.unit, case_id)

    def cases_by_eye(self) -> Mapping[EyeKey, tuple[str, ...]]:
        """The images of every eye of every patient on every day; those without a date or an eye are left out."""
        return read_cases_by_eye(self.unit)

    def images_by_accession(self) -> Mapping[str, tuple[NumberedImage, ...]]:
        """The images of every accession number, each with its study: a number may be given out twice."""
        return read_images_by_accession(self.unit)

    def case_ids(self) -> frozenset[str]:
        """The pseudonym of every image."""
        return frozenset(row.case_id for row in self.unit.rows(select(tables.image_case.c.case_id)))

    def of_patient(self, patient: str) -> tuple[Case, ...]:
        """Every case of one patient, ordered; none where the cohort does not know the patient."""
        return read_cases(self.unit, tables.patient.c.patient == patient)

    def copies(self, cases: Iterable[Case]) -> tuple[Case, ...]:
        """The other cases that show exactly one of these pictures, whoever they were filed under."""
        given = {case.case_id: case.pixels for case in cases}
        shown = read_cases(self.unit, listed(tables.image_case.c.pixels, set(given.values())))
        return tuple(case for case in shown if case.case_id not in given)

    def named(self, case_ids: Iterable[str]) -> tuple[Case, ...]:
        """These cases, ordered. Raises `InputError` with how many of them the cohort does not have."""
        wanted = set(case_ids)
        found = read_cases(self.unit, listed(tables.image_case.c.case_id, wanted))
        if len(found) < len(wanted):
            raise InputError(
                f"The cohort does not have {len(wanted) - len(found)} of the {len(wanted)} cases; nothing was changed.",
                remedy="Cases are named by keyed pseudonyms; `maintain plan POLICY --json` lists those of a policy.",
            )
        return found

    def patients(self, patients: Iterable[str]) -> tuple[Patient, ...]:
        """What is kept about these patients, ordered; unknown ones are left out."""
        table, wanted = tables.patient, set(patients)
        return tuple(
            Patient(row.patient, row.sex, ConsentStatus(row.consent), row.consent_date)
            for row in self.unit.rows(select(table).order_by(table.c.patient))
            if row.patient in wanted
        )

    def salts(self, patients: Iterable[str]) -> Mapping[str, bytes]:
        """The salt of each of these patients, for commitments; unknown ones are left out."""
        table, wanted = tables.patient, set(patients)
        rows = self.unit.rows(select(table.c.patient, table.c.salt))
        return {row.patient: row.salt for row in rows if row.patient in wanted}

    def status(self) -> CohortStatus:
        """The cohort in numbers."""
        return count_cohort(self.unit)


# --- private ---------------------------------------------------------------------------------------


def _read_under_another(key_id: str) -> Select[Any]:
    table = tables.source
    return select(table.c.id).where(not_(table.c.root.startswith(f"{key_id}:", autoescape=True)))
