"""What a policy makes of one case: whether it matches and by which part, its role, and why.

Answers the question that a person asks of a plan: why this one, or why not this one. Reads only, and
holds nothing against the limits, so that a plan that was refused can be understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maintain.cohort import CohortStore
from maintain.predicate import explain, matches, unmet
from maintain.records import Case, PlannedCase
from maintain.vocabulary import Role, Split
from maintain_pipelines.context import Context
from maintain_pipelines.select import Preview, preview
from maintain_policies import Policy


@dataclass(frozen=True, slots=True)
class Copy:
    """Another case that shows exactly the same picture, and what the policy makes of it."""

    case_id: str
    same_patient: bool
    role: Role | None


@dataclass(frozen=True, slots=True)
class CaseStory:
    """One case under one policy. `selected` also holds for what a match pulled in, and for copies."""

    case_id: str
    policy_name: str
    model: str
    champion: int
    matched: bool
    test: str
    selected: str | None
    role: Role | None
    role_reason: str
    learned: bool
    split: Split | None
    suppressed: str | None
    copies: tuple[Copy, ...]


def explain_case(case_id: str, policy: Policy, context: Context) -> CaseStory:
    """The story of one case. Raises `InputError` for a case that the cohort does not have."""
    with context.database.read() as unit:
        store = CohortStore(unit)
        case = store.case(case_id)
        copies = store.copies([case])
    return story_of(case, policy, preview(policy, context), copies)


def story_of(case: Case, policy: Policy, found: Preview, copies: Iterable[Case] = ()) -> CaseStory:
    """The story of one case in a policy that was resolved, with what becomes of its copies."""
    selection, case_id = found.selection, case.case_id
    row = _row(found, case_id)
    label = case.label(selection.champion.spec.label_name)
    version = row.label_version if row else label.version if label else 0
    matched = matches(policy.where, case)
    return CaseStory(
        case_id=case_id,
        policy_name=policy.name,
        model=policy.model.name,
        champion=selection.plan.champion.version,
        matched=matched,
        test=explain(policy.where, case) if matched else unmet(policy.where, case),
        selected=next((match.reason for match in selection.matches if match.case.case_id == case_id), None),
        role=row.role if row else None,
        role_reason=row.reason if row else _why_none(found, case),
        learned=any(ref.case_id == case_id for ref in selection.champion.manifest.learned),
        split=found.splits.get(case.patient),
        suppressed=found.barred.why(case, label_version=version),
        copies=tuple(_copy(found, case, copy) for copy in copies),
    )


# --- private ---------------------------------------------------------------------------------------


def _row(found: Preview, case_id: str) -> PlannedCase | None:
    return next((row for row in found.selection.roles.rows if row.case_id == case_id), None)


def _copy(found: Preview, case: Case, copy: Case) -> Copy:
    row = _row(found, copy.case_id)
    return Copy(copy.case_id, copy.patient == case.patient, row.role if row else None)


def _why_none(found: Preview, case: Case) -> str:
    """Why a plan does not list a case: the champion neither learned from it, nor chose with it, nor holds it out."""
    label_name = found.selection.champion.spec.label_name
    split = found.splits.get(case.patient)
    if case.label(label_name) is None:
        return f"it has no label {label_name!r}, so the champion could not use it"
    if split is None:
        return "its patient has no side in this lineage yet"
    if any(ref.case_id == case.case_id for ref in found.selection.champion.manifest.unlearned):
        return "unlearned before: the champion's manifest lists it, and only the claim never-saw reaches it"
    return f"its patient stands on the side {split.value}, and the champion's manifest does not list it"
