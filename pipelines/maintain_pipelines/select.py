"""Policy + cohort + champion -> Plan: what would happen, to whom, and why. Changes nothing.

The policy is resolved over the whole cohort and cut with the champion's manifest; every case of
the plan carries the rule that gave it its role, and a plan that touches more than the policy
declared stops here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maintain import codec
from maintain.cohort import (
    CohortStore,
    Selected,
    load_snapshot_by_digest,
    select,
    split_of_patients,
    suppressed,
)
from maintain.errors import InputError, LimitError
from maintain.hashing import Digest, canonical_json, digest_bytes
from maintain.records import Case, PlannedCase, Plan, RoleCount, RoleTable, Slot, SnapshotMember
from maintain.vocabulary import ConsentStatus, ManifestStatus, Role, Split
from maintain_pipelines.champions import Champion, load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.environment import describe_environment
from maintain_policies import Policy

#: One-sided level of the retention gate before it is shared between the slots (power.md §5).
RETENTION_ALPHA = 0.025

#: Chances at the holdout that every plan declares; each is judged at its share of the level.
SLOTS = 2

#: The way out of every search: it proves never-saw by construction.
LAST_METHOD = "retrain"


@dataclass(frozen=True, slots=True)
class Selection:
    """A plan with its role table, and every match of the policy whoever learned from it."""

    plan: Plan
    roles: RoleTable
    matches: tuple[Selected, ...]
    champion: Champion

    @property
    def nothing_learned(self) -> bool:
        """Whether the champion learned from no matching case."""
        return self.plan.count(Role.FORGET).cases == 0


def plan_run(policy: Policy, context: Context) -> Selection:
    """Resolve a policy. Raises `LimitError` when it would touch more than it declares."""
    champion = load_champion(context.store, policy.model.name)
    if champion.manifest.status is ManifestStatus.UNKNOWN:
        raise InputError(
            f"Nobody knows what {policy.model.name} was trained on, so nothing can be unlearned from it.",
            remedy="Train a version here with `maintain model train`, or adopt one with its case list.",
        )
    with context.database.read() as unit:
        cohort = CohortStore(unit).cases()
        barred = suppressed(unit, champion.spec.model)
        members = _members(unit, champion)
        splits = split_of_patients(unit, champion.spec.model)
    matches = select(cohort, policy.where, policy.unit)
    by_case = {case.case_id: case for case in cohort}
    why = {match.case.case_id: match.reason for match in matches}
    rows = _learned_rows(champion, members, by_case, why, barred)
    rows += _holdout_rows(cohort, splits, champion, why, barred, {row.case_id for row in rows})
    roles = RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))
    _check_limits(policy, roles)
    return Selection(_plan(policy, champion, roles, context), roles, matches, champion)


def forget_set_digest(roles: RoleTable) -> Digest:
    """The digest of the forget set, as (case, label version) pairs."""
    pairs = [[row.case_id, row.label_version] for row in roles.of(Role.FORGET)]
    return digest_bytes(canonical_json(pairs).encode())


# --- private ---------------------------------------------------------------------------------------


def _members(unit: object, champion: Champion) -> Mapping[tuple[str, int], SnapshotMember]:
    if champion.manifest.snapshot is None:
        return {}
    snapshot = load_snapshot_by_digest(unit, champion.manifest.snapshot)  # type: ignore[arg-type]
    return {(member.case_id, member.label_version): member for member in snapshot.members}


def _learned_rows(champion, members, by_case, why, barred) -> list[PlannedCase]:  # type: ignore[no-untyped-def]
    return []
