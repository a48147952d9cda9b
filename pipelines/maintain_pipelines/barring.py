"""What a plan bars from later use when it is carried out: its matches, of a wrong label the wrong pairs alone.

A registration, a run that had nothing to unlearn and a policy's test all bar through here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from maintain.cohort import suppress, suppressed
from maintain.database import UnitOfWork
from maintain.records import Case, Plan, PlannedCase, RoleTable
from maintain.requests import RequestStore
from maintain.vocabulary import Reason, Role


@dataclass(frozen=True, slots=True)
class Barring:
    """What was put on the suppression list, and how many of it was not there for this policy before."""

    cases: tuple[Case | PlannedCase, ...]
    newly: int


def bar_matches(
    unit: UnitOfWork, plan: Plan, roles: RoleTable, matches: tuple[Case, ...], *, label_name: str, now: datetime
) -> Barring:
    """Bar the matches of a plan for its reason. A label that was corrected since it was barred stays usable.

    What a person's request bars already is not listed once more: withdrawing the request must lift it.
    """
    cases: tuple[Case | PlannedCase, ...] = matches
    if plan.reason.personal:
        asked = RequestStore(unit).barred_pixels()
        listed: tuple[Case | PlannedCase, ...] = tuple(case for case in matches if case.pixels not in asked)
        return Barring(matches, _bar(unit, listed, plan, now))
    if plan.reason is Reason.WRONG_LABEL:
        cases = tuple(_wrong_pairs(unit, plan.model, roles, matches, label_name))
    return Barring(cases, _bar(unit, cases, plan, now))


# --- private ---------------------------------------------------------------------------------------


def _bar(unit: UnitOfWork, cases: tuple[Case | PlannedCase, ...], plan: Plan, now: datetime) -> int:
    return suppress(unit, cases, reason=plan.reason, policy=plan.policy, model=plan.model, now=now)


def _wrong_pairs(
    unit: UnitOfWork, model: str, roles: RoleTable, matches: Iterable[Case], label_name: str
) -> Iterable[Case | PlannedCase]:
    """The pairs that the champion used; other matches unless their label was corrected since it was barred."""
    wrong = suppressed(unit, model).labels
    used = {row.case_id: row for row in roles.of(Role.FORGET, Role.NEVER_SEEN_VALIDATION)}
    for case in matches:
        label = case.label(label_name)
        version = 0 if label is None else label.version
        if row := used.get(case.case_id):
            yield replace(row, label_version=max(row.label_version, version - 1))  # what was between was given up too
        elif not 0 < wrong.get(case.case_id, 0) < version:
            yield case
