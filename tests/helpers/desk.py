"""A desk where sources are read in: database, arrays, key and clock of one small workspace."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.arrays import ArrayStore
from maintain.clock import FrozenClock
from maintain.database import Database, UnitOfWork
from maintain.intake import Pseudonyms
from maintain_pipelines.ingest import (
    IngestReport,
    ingest_consents,
    ingest_dicom,
    ingest_labels,
)


#: Words that name a patient in some way; each stands in headers, names of files or names of folders.
@dataclass(frozen=True, slots=True)
class Desk:
    """What an intake needs."""

    database: Database
    arrays: ArrayStore
    pseudonyms: Pseudonyms
    clock: FrozenClock

    def dicom(self, folder: Path, **more: Any) -> IngestReport:
        return ingest_dicom(
            folder,
            **{"begin": self.database.begin, **more},
            arrays=self.arrays,
            pseudonyms=self.pseudonyms,
            clock=self.clock,
        )

    def labels(self, path: Path, **more: Any) -> IngestReport:
        return ingest_labels(path, begin=self.database.begin, pseudonyms=self.pseudonyms, clock=self.clock, **more)

    def consents(self, path: Path) -> IngestReport:
        return ingest_consents(path, begin=self.database.begin, pseudonyms=self.pseudonyms, clock=self.clock)

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self.database.read()


def counts(report: IngestReport) -> dict[str, int]:
    return {count.name: count.count for count in report.counts if count.count}
