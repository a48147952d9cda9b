"""What a version learned that may not be used any more, asked of the cohort as it is now.

A manifest never changes; consent and suppression do. Whoever lets a version serve asks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maintain.cohort import read_standings, suppressed
from maintain.database import UnitOfWork
from maintain.records import CaseRef, TrainingManifest


@dataclass(frozen=True, slots=True)
class Barred:
    """How many learned cases are barred, and of how many people; `lost` ones are no longer in the cohort."""

    cases: int
    patients: int
    lost: int

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.cases or self.lost)

    def spoken(self) -> str:
        """The counts for a person; never a name."""
        parts = [f"{self.cases} cases of {self.patients} people"] if self.cases else []
        if self.lost:
            parts.append(f"{self.lost} cases that the cohort no longer has")
        return " and ".join(parts)


def barred_since(unit: UnitOfWork, manifest: TrainingManifest, label_name: str) -> Barred:
    """What is in `learned` and suppressed by now in this lineage, for whatever reason."""
    return count_barred(unit, manifest.model, manifest.learned, label_name)


def barred_by_people(unit: UnitOfWork, manifest: TrainingManifest, label_name: str) -> Barred:
    """What was learned, here or by a version whose weights it started from, of people who took it back.

    Their wish holds everywhere and reaches exact copies; no behaviour of a model makes up for it.
    """
    return count_barred(unit, None, (*manifest.learned, *manifest.unlearned), label_name)


def count_barred(unit: UnitOfWork, scope: str | None, refs: Iterable[CaseRef], label_name: str) -> Barred:
    """What is barred of these cases in a lineage; without one only what nobody may use: what people asked for."""
    refs = tuple(refs)
    listed = suppressed(unit, scope)
    standings = {standing.case_id: standing for standing in read_standings(unit, label_name)}
    known = [ref for ref in refs if ref.case_id in standings]
    barred = [ref for ref in known if listed.why(standings[ref.case_id], label_version=ref.label_version)]
    people = {standings[ref.case_id].patient for ref in barred}
    return Barred(len(barred), len(people), len(refs) - len(known))
