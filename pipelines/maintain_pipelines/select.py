"""Policy + cohort + champion -> Plan: what would happen, to whom, and why. Changes nothing.

The policy is resolved over the whole cohort and cut with the champion's manifest; a plan that
touches more than the policy declared stops here, before any training.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from maintain import codec
from maintain.cohort import (
    CohortStore,
    Selected,
    load_snapshot_by_digest,
    select,
    splits_of,
    suppressed,
    unknown_values,
)
from maintain.errors import InputError, LimitError
from maintain.records import Case, CaseRef, MethodRequest, Plan, RoleTable, Slot
from maintain.vocabulary import ManifestStatus, Role
from maintain_pipelines.champions import Champion, load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.environment import describe_environment
from maintain_pipelines.roles import Cut, assign_roles, count_roles
from maintain_policies import Policy

#: The way out of every search: it proves never-saw by construction, and takes the second slot.
LAST_METHOD = "retrain"

#: Chances at the holdout that every plan declares; retention is judged at an equal share of its level.
SLOTS = 2


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


def make_plan(policy: Policy, context: Context) -> Selection:
    """Resolve a policy. Raises `LimitError` when it would touch more than it declares."""
    champion = load_champion(context.store, policy.model.name)
    if champion.manifest.status is ManifestStatus.UNKNOWN:
        raise InputError(
            f"Nobody knows what {policy.model.name} was trained on, so nothing can be unlearned from it.",
            remedy="Train a version here with `maintain model train`.",
        )
    with context.database.read() as unit:
        cohort = CohortStore(unit).cases()
        barred = suppressed(unit, champion.spec.model)
        splits = splits_of(unit, champion.spec.model)
        snapshot = champion.manifest.snapshot
        members = load_snapshot_by_digest(unit, snapshot).members if snapshot else ()
    _refuse_unknown_values(policy, cohort)
    matches = select(cohort, policy.where, policy.unit)
    cut = Cut(
        manifest=champion.manifest,
        members={CaseRef(member.case_id, member.label_version): member for member in members},
        cohort=cohort,
        splits=splits,
        label_name=champion.spec.label_name,
        matched={match.case.case_id: match.reason for match in matches},
        barred=lambda case, label_version: barred.why(case, label_version=label_version),
    )
    roles = assign_roles(cut)
    _check_limits(policy, champion, roles)
    return Selection(_plan(policy, champion, roles, context), roles, matches, champion)


# --- private ---------------------------------------------------------------------------------------


def _refuse_unknown_values(policy: Policy, cohort: tuple[Case, ...]) -> None:
    unknown = unknown_values(cohort, policy.where)
    if unknown:
        listed = "; ".join(
            f"{item.field} is never {item.value!r}" + (f" (nearest: {item.nearest!r})" if item.nearest else "")
            for item in unknown
        )
        raise InputError(
            f"The policy names values that no case ever had: {listed}.",
            remedy="Mend `forget.where`; `maintain cohort status` lists what there is.",
        )


def _check_limits(policy: Policy, champion: Champion, roles: RoleTable) -> None:
    forgotten = roles.of(Role.FORGET)
    learned = len(champion.manifest.learned)
    limits, said = policy.limits, []
    patients = len({row.patient for row in forgotten})
    if limits.max_patients is not None and patients > limits.max_patients:
        said.append(f"{patients} patients, more than max_patients {limits.max_patients}")
    percent = 100 * len(forgotten) / learned if learned else 0.0
    if percent > limits.max_percent:
        said.append(f"{percent:.1f} % of what the champion learned, more than max_percent {limits.max_percent:g}")
    if limits.max_percent_of_any_label is not None:
        said += _label_excess(roles, limits.max_percent_of_any_label)
    if said:
        raise LimitError(
            f"The policy {policy.name} would make the model forget {'; and '.join(said)}.",
            remedy="Narrow `forget.where`, or raise the limit in the policy if this is meant.",
        )


def _label_excess(roles: RoleTable, most: float) -> list[str]:
    forgotten = Counter(row.label for row in roles.of(Role.FORGET))
    learned = Counter(row.label for row in roles.of(Role.FORGET, Role.RETAIN))
    shares = {label: 100 * count / learned[label] for label, count in sorted(forgotten.items())}
    return [
        f"{share:.1f} % of the label {label!r}, more than max_percent_of_any_label {most:g}"
        for label, share in shares.items()
        if share > most
    ]


def _plan(policy: Policy, champion: Champion, roles: RoleTable, context: Context) -> Plan:
    return Plan(
        policy=policy.digest,
        policy_name=policy.name,
        reason=policy.reason,
        claim=policy.claim,
        model=policy.model.name,
        champion=champion.ref,
        roles=codec.digest_of(roles),
        counts=count_roles(roles),
        slots=_slots(policy),
        gate_set=policy.gate_set,
        gates=policy.gates,
        seed=policy.unlearn.seed,
        budget_steps=policy.unlearn.budget_steps,
        alias=policy.register_alias,
        environment=describe_environment(context.workspace),
    )


def _slots(policy: Policy) -> tuple[Slot, ...]:
    """The two declared chances: the first method that passes on validation, then the way out alone.

    A search that could end without a candidate would leave the wish unanswered, so it ends in the way out.
    """
    alpha = next(
        float(setting.value)
        for request in policy.gates
        if request.name == "retention"
        for setting in request.options
        if setting.name == "alpha"
    )
    names = tuple(dict.fromkeys((*policy.unlearn.methods, LAST_METHOD)))
    methods = tuple(MethodRequest(name, policy.unlearn.options_of(name)) for name in names)
    way_out = MethodRequest(LAST_METHOD, policy.unlearn.options_of(LAST_METHOD))
    return Slot(1, methods, alpha / SLOTS), Slot(SLOTS, (way_out,), alpha / SLOTS)
