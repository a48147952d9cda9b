"""Which cases the behaviour gates compare: forgotten ones, and ones of the group that no model ever saw.

Sides that are too small are not judged: the power study, section 5, says from where on they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import Answers, answers_of
from maintain.gates.base import Evidence
from maintain.gates.consumption import counted
from maintain.hashing import Digest
from maintain.records import Figure, PlannedCase
from maintain.statistics import ArmSize, Power
from maintain.statistics.power import FEWEST_CASES, FEWEST_PATIENTS
from maintain.vocabulary import Role


class Planned(Protocol):
    """How a comparison of two arms of these sizes is planned."""

    def __call__(self, first: ArmSize, second: ArmSize, /, *, margin: float) -> Power:
        """What it would show."""
        ...


@dataclass(frozen=True, slots=True)
class Sides:
    """Which of the forgotten and of the never-seen cases are compared, as masks over the plan's rows of each."""

    forgotten: NDArray[np.bool_]
    never_seen: NDArray[np.bool_]
    forget_cases: tuple[PlannedCase, ...]
    never_seen_cases: tuple[PlannedCase, ...]
    left: int
    """Forgotten cases whose patient is still learned from."""

    def ask(self, evidence: Evidence, weights: Digest) -> tuple[Answers, Answers]:
        """What these weights answered in either arm. Raises `NotEvaluatedError` unless measured whole."""
        first = answers_of(evidence, weights, Role.FORGET).among(self.forgotten)
        return first, answers_of(evidence, weights, Role.NEVER_SEEN).among(self.never_seen)

    def sizes(self) -> tuple[ArmSize, ArmSize]:
        """Cases and patients of either arm."""
        return _size(self.forget_cases), _size(self.never_seen_cases)

    def left_told(self) -> str:
        """A sentence on the forgotten cases that are not judged; nothing where all are."""
        if not self.left:
            return ""
        return f" Not judged: {counted(self.left, 'forgotten case')} of patients who are still learned from."

    def figures(self) -> tuple[Figure, ...]:
        """The sizes for the report, and how many cases left."""
        (first, second), left = self.sizes(), float(self.left)
        return (
            Figure("forgotten cases", float(first.cases), cases=first.cases, patients=first.patients),
            Figure("never-seen cases", float(second.cases), cases=second.cases, patients=second.patients),
            *([Figure("forgotten cases left out, as their patients are still learned from", left)] if left else []),
        )


def sides_of(evidence: Evidence) -> Sides:
    """The cases by which remembering is told from reading. Raises `NotEvaluatedError` where a patient is on both sides.

    Who is still learned from leaves the forgotten side: his images would look remembered in an honest retrain too.
    """
    kept = {case.patient for case in evidence.roles.of(Role.RETAIN)}
    sides = whole_sides(evidence)
    forgotten = np.array([case.patient not in kept for case in sides.forget_cases], dtype=np.bool_)
    sides = replace(
        sides,
        forgotten=forgotten,
        forget_cases=_kept(sides.forget_cases, forgotten),
        left=int(np.count_nonzero(~forgotten)),
    )
    if {case.patient for case in sides.forget_cases} & {case.patient for case in sides.never_seen_cases}:
        raise NotEvaluatedError(
            "A patient is among the forgotten and among the never-seen cases, so the arms are not independent.",
            remedy="Make the plan again: one patient is in one split.",
        )
    return sides


def whole_sides(evidence: Evidence) -> Sides:
    """Every forgotten and every never-seen case, each side judged by itself.

    So where references learned the same retained cases, and where a label must be given to nobody.
    """
    forget, never_seen = evidence.roles.of(Role.FORGET), evidence.roles.of(Role.NEVER_SEEN)
    return Sides(
        forgotten=np.ones(len(forget), dtype=np.bool_),
        never_seen=np.ones(len(never_seen), dtype=np.bool_),
        forget_cases=forget,
        never_seen_cases=never_seen,
        left=0,
    )


def of_same_labels(sides: Sides) -> Sides:
    """Never-seen cases of labels that no forgotten case has say nothing about those that were."""
    wanted = {case.label for case in sides.forget_cases}
    mask = np.array([case.label in wanted for case in sides.never_seen_cases], dtype=np.bool_)
    return replace(sides, never_seen=mask, never_seen_cases=_kept(sides.never_seen_cases, mask))


def check_size(sides: Sides, planned: Planned, *, margin: float) -> None:
    """Raise `NotEvaluatedError` unless both arms have 100 images of 25 patients."""
    first, second = sides.sizes()
    if min(first.cases, second.cases) >= FEWEST_CASES and min(first.patients, second.patients) >= FEWEST_PATIENTS:
        return
    raise NotEvaluatedError(
        f"{told_size(first)} were forgotten and {told_size(second)} never seen;"
        f" {FEWEST_CASES} cases of {FEWEST_PATIENTS} patients are needed of each.{sides.left_told()}"
        f" {visible_leak_told(sides, planned, margin=margin)}",
        remedy="Let the search go on to a retrain, which digests prove at any size.",
    )


def visible_leak(sides: Sides, planned: Planned, *, margin: float) -> tuple[Figure, ...]:
    """The smallest leak that sides of these sizes would probably show; nothing where no interval exists."""
    first, second = sides.sizes()
    visible = planned(first, second, margin=margin).smallest_visible if first.cases and second.cases else None
    return () if visible is None else (Figure("smallest leak that could have been seen", visible),)


def visible_leak_told(sides: Sides, planned: Planned, *, margin: float) -> str:
    """The same as a sentence."""
    for figure in visible_leak(sides, planned, margin=margin):
        return f"The smallest leak that could have been seen is about {figure.value:.2f}."
    return "No leak of any size could have been seen."


def told_size(size: ArmSize) -> str:
    """Cases and patients in words."""
    return f"{counted(size.cases, 'case')} of {counted(size.patients, 'patient')}"


# --- private ---------------------------------------------------------------------------------------


def _kept(cases: tuple[PlannedCase, ...], mask: NDArray[np.bool_]) -> tuple[PlannedCase, ...]:
    return tuple(case for case, keep in zip(cases, mask, strict=True) if keep)


def _size(cases: tuple[PlannedCase, ...]) -> ArmSize:
    """Cases, patients, and how many cases the patient with the most has."""
    counts = Counter(case.patient for case in cases)
    return ArmSize(len(cases), len(counts), max(counts.values(), default=0))
