"""People who write letters: a cohort whose patients have identifiers, and the request that names some of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert, update

from helpers.cohorts import NOW, arrive, make_case
from helpers.lineage import opened
from helpers.workspaces import new_workspace
from maintain.clock import FrozenClock
from maintain.cohort import CohortStore, LabelFact
from maintain.database import UnitOfWork, open_database, tables
from maintain.intake import Pseudonyms, load_pseudonyms
from maintain.settings import find_workspace
from maintain.vocabulary import Reason
from maintain_pipelines.context import Context
from maintain_pipelines.requests import Filed, Shelved, file_request, order_of
from maintain_registry import MemoryStore

KEY = bytes(range(32))

#: Patients of the cohort, two images each.
PEOPLE = 12

#: Who issued the identifiers of patient 12; those of the others come without an issuer.
ISSUER = "SYNTHETIC-HOSPITAL"


def patient_id(number: int) -> str:
    """The identifier of a patient, as a letter has it."""
    return f"PID-{number:04d}"


def images_of(*people: int) -> tuple[int, ...]:
    """The numbers of their images: those of patient 3 are 5 and 6."""
    return tuple(image for number in people for image in (2 * number - 1, 2 * number))


def make_town(root: Path) -> Path:
    """A workspace with a cohort of `PEOPLE` who have identifiers, every one linked, and no model."""
    new_workspace(root, pseudonym_key=KEY)
    keys = load_pseudonyms(find_workspace(root).pseudonym_key)
    database = open_database(root / "maintain.db")
    with database.begin() as unit:
        store = CohortStore(unit)
        source = store.source("dicom", "folder", key_id=keys.key_id)
        cases = [make_case(image, patient=name_of((image + 1) // 2, keys)) for image in range(1, 2 * PEOPLE + 1)]
        intake = store.begin_ingest(source, code="0", now=NOW)
        store.add(source, [arrive(case, f"{number}.dcm") for number, case in enumerate(cases)])
        store.finish_ingest(intake, {}, now=NOW)
        labels = ("drusen", "atrophy")
        facts = [LabelFact(case.case_id, "diagnosis", labels[at % 2]) for at, case in enumerate(cases)]
        store.record_labels(facts, now=NOW)
        unit.execute(update(tables.ingest).values(issuers=True))
        unit.execute(update(tables.patient).values(linked=True))
        know_issuer(unit, keys, ISSUER)
    database.close()
    return root


@contextmanager
def visiting(town: Path, root: Path, clock: FrozenClock | None = None) -> Iterator[Context]:
    """A copy of the town at `root`, open, its registry in memory and its time that of the clock."""
    with opened(Path(shutil.copytree(town, root)), MemoryStore()) as found:
        still = clock or FrozenClock()
        yield replace(found, clock=still, ledger=replace(found.ledger, clock=still))


def name_of(number: int, keys: Pseudonyms | None = None) -> str:
    """The pseudonym of a patient."""
    issuer = ISSUER if number == PEOPLE else None
    return str((keys or Pseudonyms(KEY)).patient(patient_id(number), issuer))


def know_issuer(unit: UnitOfWork, keys: Pseudonyms, text: str) -> None:
    """Enter an issuer as intake does."""
    unit.execute(insert(tables.issuer), {"mark": keys.issuer(text), "sealed": keys.seal(text)})


def wish(
    context: Context, *people: int, reason: Reason = Reason.CONSENT, policies: tuple[Shelved, ...] | None = None
) -> Filed:
    """The request of these patients."""
    order = order_of([patient_id(number) for number in people], context, reason=reason)
    return file_request(order, context, policies=policies)
