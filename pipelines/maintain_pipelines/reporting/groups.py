"""Accuracy of both versions in groups of the retained held-out cases; groups of few patients are never shown alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from maintain.cohort import CohortStore
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence
from maintain.gates.answers import Answers, answers_of
from maintain.records import PlannedCase, RoleTable
from maintain.report import GroupRow, Groups
from maintain.vocabulary import Role
from maintain_pipelines.context import Context
from maintain_pipelines.reporting.evidence import FEWEST_PATIENTS, TOO_FEW, right_share

#: What a case without the value is filed under.
NOT_RECORDED = "not recorded"

#: What the whole table says of itself.
NOTE = "Retained held-out cases only; the withdrawn group is in the panels. These groups are shown and decide nothing."


def labels_of(cases: Sequence[PlannedCase]) -> tuple[str, ...]:
    """The class of each case."""
    return tuple(case.label for case in cases)


def cameras_of(roles: RoleTable, context: Context) -> tuple[str, ...]:
    """The camera of each held-out case, by its normalised name; cases that were erased since have none."""
    cases = roles.of(Role.HOLDOUT)
    with context.database.read() as unit:
        found = CohortStore(unit).named(case.case_id for case in cases)
    known = {case.case_id: case.device.model for case in found}
    return tuple(known.get(case.case_id) or NOT_RECORDED for case in cases)


def groups_of(evidence: Evidence, values: Sequence[str]) -> Groups:
    """Every held-out case in its group. Raises `NotEvaluatedError` where all of them are of fewer than ten patients."""
    old = answers_of(evidence, evidence.plan.champion.weights, Role.HOLDOUT)
    new = answers_of(evidence, evidence.candidate.weights, Role.HOLDOUT)
    places: dict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        places[value].append(place)
    shown, put_together = put_small_together(places, old.patients)
    rows = tuple(_row(value, shown[value], old, new) for value in shown)
    said = f" Groups of fewer than {FEWEST_PATIENTS} patients are put together." if put_together else ""
    return Groups(rows, NOTE + said)


def put_small_together(
    places: Mapping[str, Sequence[int]], patients: Sequence[str]
) -> tuple[dict[str, tuple[int, ...]], int]:
    """The groups by name with small ones as one, and how many that are.

    Where these are still of fewer than ten patients the next smallest joins them: what is left out of a table whose
    total is known could be computed. Raises `NotEvaluatedError` where all together are too few.
    """

    def size(numbers: Sequence[int]) -> int:
        return len({patients[number] for number in numbers})

    by_size = sorted(places, key=lambda value: (size(places[value]), value))
    pooled: list[str] = [value for value in by_size if size(places[value]) < FEWEST_PATIENTS]
    rest = by_size[len(pooled) :]
    members = [number for value in pooled for number in places[value]]
    while pooled and size(members) < FEWEST_PATIENTS and rest:
        pooled.append(rest.pop(0))
        members += places[pooled[-1]]
    if pooled and size(members) < FEWEST_PATIENTS:
        raise NotEvaluatedError(TOO_FEW, remedy="Bring in more patients.")
    shown = {value: tuple(places[value]) for value in sorted(rest)}
    if pooled:
        shown[f"{len(pooled)} small groups together" if len(pooled) > 1 else pooled[0]] = tuple(sorted(members))
    return shown, len(pooled)


# --- private ---------------------------------------------------------------------------------------


def _row(value: str, places: Sequence[int], old: Answers, new: Answers) -> GroupRow:
    kept = np.zeros(len(old.cases), dtype=np.bool_)
    kept[list(places)] = True
    before, after = old.among(kept), new.among(kept)
    return GroupRow(value, len(places), len(set(before.patients)), right_share(before), right_share(after))
