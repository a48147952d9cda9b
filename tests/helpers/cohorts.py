"""Cases out of thin air, and cohorts that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from maintain.cohort import Arrival, CohortStore, ConsentFact, LabelFact, PersonFact
from maintain.database import Database, UnitOfWork
from maintain.hashing import digest_bytes
from maintain.records import Case, Device
from maintain.vocabulary import ConsentStatus, Eye

#: The moment of every test.
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

#: The key id under which test cohorts are read.
KEY_ID = "0badcafe"

DEVICE = Device("Northlight Ophthalmics", "Cirrus 800 FA", "CIRRUS 800 FA", "5e41a1", "57a710", ("4.2.1",))


class _Undone(Exception):
    """Ends a unit of work without keeping it."""


@contextmanager
def undone(database: Database) -> Iterator[UnitOfWork]:
    """A writing unit of work that leaves nothing behind."""
    with suppress(_Undone), database.begin() as unit:
        yield unit
        raise _Undone


def make_case(number: int = 1, **facts: Any) -> Case:
    """Case number so-and-so, of a patient, study and series of its own unless they are given."""
    case = Case(
        case_id=f"case-{number:04d}",
        patient=f"patient-{number:04d}",
        study=f"study-{number:04d}",
        series=f"series-{number:04d}",
        pixels=digest_bytes(f"pixels {number}".encode()),
        device=DEVICE,
        eye=Eye.RIGHT,
        sex="F",
        age=61,
        study_date="2024-03-01",
        site="e1f0d0",
        consent=ConsentStatus.UNKNOWN,
        labels=(),
    )
    return replace(case, **facts)


def arrive(case: Case, path: str | None = None) -> Arrival:
    """The file that holds a case."""
    return Arrival(
        path or f"{case.case_id}.dcm", 1000, 1, case, 6, 4, person=PersonFact(f"mark of {case.patient}", True)
    )


def fill(unit: UnitOfWork, cases: Sequence[Case], *, labels: str | None = "diagnosis") -> CohortStore:
    """File cases, with their own labels or two values in turn, and their consents."""
    store = CohortStore(unit)
    source = store.source("dicom", "folder", key_id=KEY_ID)
    store.add(source, [arrive(case) for case in cases])
    facts = [LabelFact(case.case_id, label.name, label.value) for case in cases for label in case.labels]
    if labels is not None:
        facts += [
            LabelFact(case.case_id, labels, ("drusen", "atrophy")[number % 2])
            for number, case in enumerate(cases)
            if case.label(labels) is None
        ]
    store.record_labels(facts, now=NOW)
    withdrawn = sorted({case.patient for case in cases if case.consent is ConsentStatus.WITHDRAWN})
    store.record_consents([ConsentFact(patient, ConsentStatus.WITHDRAWN, None) for patient in withdrawn])
    return store
