"""The hospital of a month: an archive that grows from day to day, and the people who write letters."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain.cohort import CohortStore
from maintain.database import UnitOfWork
from maintain.hospital import HospitalOptions, build_hospital
from maintain.hospital.headers import ISSUER
from maintain.intake import load_pseudonyms
from maintain.records import Case
from maintain_pipelines.champions import load_champion
from maintain_pipelines.context import Context

#: Share of patients who are there on the first day; the others come night by night.
THERE = 0.8
#: The days on which letters come: one a week.
DAYS = (3, 10, 17, 24)
#: Somebody whom the hospital has never seen.
STRANGER = "NOBODY-HERE-4711"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as a table, and what a reader of the result may know of it."""

    table: str
    told: str


@dataclass(frozen=True, slots=True)
class World:
    """Where the archive lies, what still comes on which day, and the tables beside it."""

    root: Path
    archive: Path
    labels: Path
    coming: Mapping[int, tuple[tuple[Path, Path], ...]]
    people: tuple[str, ...]

    @classmethod
    def draw(cls, root: Path, seed: int, *, patients: int, nights: int) -> World:
        """A hospital of that many patients; a fifth of them come during the month, some every day."""
        root.mkdir(parents=True)
        drawn = build_hospital(root / "later", HospitalOptions(patients=patients, seed=seed, withdrawn_share=0.15))
        files: dict[str, list[Path]] = {}
        for line in drawn.truth.read_text().splitlines()[1:]:
            row = json.loads(line)
            files.setdefault(row["patient_id"], []).append(drawn.root / row["path"])
        people = sorted(files)
        random.Random(seed).shuffle(people)
        first = round(THERE * len(people))
        archive = root / "archive"
        coming: dict[int, list[tuple[Path, Path]]] = {night: [] for night in range(nights + 1)}
        for place, person in enumerate(people):
            night = 0 if place < first else 1 + (place - first) * nights // max(len(people) - first, 1)
            for path in files[person]:
                coming[min(night, nights)].append((path, archive / path.relative_to(drawn.root)))
        world = cls(
            root, archive, drawn.labels, {night: tuple(moves) for night, moves in coming.items()}, tuple(people[:first])
        )
        world.arrive(0)
        return world

    def arrive(self, night: int) -> None:
        """Bring the files of a day into the archive."""
        for source, place in self.coming.get(night, ()):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, place)

    def cases(self, unit: UnitOfWork) -> tuple[Case, ...]:
        """Every case of the cohort."""
        return CohortStore(unit).cases()


def letters_of(world: World, context: Context, model: str) -> Mapping[int, Letter]:
    """The letters of the month, from whom the champion learned from now: learned, two at once, nobody, one more."""
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    learned = {ref.case_id for ref in load_champion(context, model).manifest.learned}
    with context.database.read() as unit:
        known = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
        every = {case.patient for case in CohortStore(unit).cases()}
    taught = [person for person in world.people if pseudonyms.patient(person, ISSUER) in known]
    others = [
        person for person in world.people if (mark := pseudonyms.patient(person, ISSUER)) in every and mark not in known
    ]
    return {
        DAYS[0]: Letter(_table([taught[0]]), "one person the champion learned from"),
        DAYS[1]: Letter(_table([taught[1], others[0]]), "two people, one of them held out or selected with"),
        DAYS[2]: Letter(_table([STRANGER]), "somebody the hospital never saw"),
        DAYS[3]: Letter(_table([taught[2]]), "one person the champion learned from"),
    }


# --- private ---------------------------------------------------------------------------------------


def _table(people: list[str]) -> str:
    """A letter as the office types it: one request that names these people."""
    rows = [["PatientID", "IssuerOfPatientID", "reason", "request"]]
    rows += [[person, ISSUER, "data-subject", "letter"] for person in people]
    return "".join(f"{','.join(row)}\n" for row in rows)
