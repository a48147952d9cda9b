"""Policy + cohort + champion -> Plan: what would happen, to whom, and why. Changes nothing.

The policy is resolved over the whole cohort and cut with the champion's manifest; a plan that
touches more than the policy declared stops here, before any training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from maintain import codec
from maintain.cohort import (
    CohortStore,
    Selected,
    SuppressionList,
    load_snapshot_by_digest,
    read_standings,
    refuse_unknown_values,
    select_stored,
    splits_of,
    suppressed,
)
from maintain.database import UnitOfWork
from maintain.errors import InputError
from maintain.gates import gates_of, situation_of
from maintain.records import CaseRef, Environment, GateRequest, MethodRequest, Plan, RoleTable, Slot, Strata
from maintain.vocabulary import Claim, ManifestStatus, Reason, Role, Situation, Split
from maintain_pipelines.champions import Champion, load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.cost import MethodCost, costs_of
from maintain_pipelines.environment import describe_environment
from maintain_pipelines.judgeable import refuse_unjudged_group, refuse_whole_groups
from maintain_pipelines.reach import Reach, measure_reach, refuse_excess
from maintain_pipelines.roles import Cut, assign_roles, count_roles
from maintain_pipelines.strata import declared, strata_of
from maintain_policies import Policy

#: The way out of every search: it proves never-saw by construction, and takes the second slot.
LAST_METHOD = "retrain"

#: Chances at the holdout that every plan declares; retention is judged at an equal share of its level.
SLOTS = 2


@dataclass(frozen=True, slots=True)
class Selection:
    """A plan with its tables, and every match of the policy whoever learned from it.

    `strata` is None where the policy declares no groups to judge retention in.
    """

    plan: Plan
    roles: RoleTable
    matches: tuple[Selected, ...]
    champion: Champion
    strata: Strata | None = None

    @property
    def nothing_learned(self) -> bool:
        """Whether the champion learned nothing that the policy forgets."""
        return self.plan.count(Role.FORGET).cases == 0

    @property
    def corrected(self) -> int:
        """How many matches stay in use, because their label was corrected since it was barred."""
        matched = {match.case.case_id for match in self.matches}
        return sum(row.case_id in matched for row in self.roles.of(Role.RETAIN, Role.VALIDATION, Role.HOLDOUT))


@dataclass(frozen=True, slots=True)
class Preview:
    """A selection together with what it touches; nothing of it has been held against the limits yet."""

    selection: Selection
    reach: Reach
    costs: tuple[MethodCost, ...]
    barred: SuppressionList
    splits: Mapping[str, Split]


def make_plan(policy: Policy, context: Context) -> Selection:
    """Resolve a policy. Raises `LimitError` when it would touch more than it declares."""
    found = preview(policy, context)
    refuse_excess(policy.name, found.reach)
    return found.selection


def preview(policy: Policy, context: Context) -> Preview:
    """Resolve a policy whatever its limits: for people who want to look before anything is refused."""
    champion = load_champion(context, policy.model.name)
    with context.database.read() as unit:
        found = resolve(policy, champion, unit, describe_environment(context.workspace))
    plan, roles = found.selection.plan, found.selection.roles
    return replace(found, costs=costs_of(plan, champion.spec, champion.manifest, roles))


def resolve(policy: Policy, champion: Champion, unit: UnitOfWork, environment: Environment) -> Preview:
    """A policy over one cohort and one champion, costs aside: all that is read is in the open unit of work.

    Raises `InputError` for a policy that cannot be planned here, whatever its limits.
    """
    if champion.manifest.status is ManifestStatus.UNKNOWN:
        raise InputError(
            f"Nobody knows what {policy.model.name} was trained on, so nothing can be unlearned from it.",
            remedy="Adopt it again under another name with `maintain model adopt --trained-on members.csv`, "
            "or train one here with `maintain model train`.",
        )
    refuse_unknown_values(unit, policy.where)
    matches = select_stored(unit, policy.where, policy.unit)
    standings = read_standings(unit, champion.spec.label_name)
    barred = suppressed(unit, champion.spec.model)
    beside = suppressed(unit, champion.spec.model, besides=policy.reason)
    splits = splits_of(unit, champion.spec.model)
    snapshot = champion.manifest.snapshot
    members = load_snapshot_by_digest(unit, snapshot).members if snapshot else ()
    cut = Cut(
        manifest=champion.manifest,
        members={CaseRef(member.case_id, member.label_version): member for member in members},
        cohort=standings,
        splits=splits,
        matched={match.case.case_id: match.reason for match in matches},
        barred=lambda case, label_version: barred.why(case, label_version=label_version),
        barred_beside=lambda case, label_version: (
            None if policy.reason.personal else beside.why(case, label_version=label_version)
        ),
        reach_unlearned=policy.claim is Claim.NEVER_SAW,
        wrong_labels=barred.labels if policy.reason is Reason.WRONG_LABEL else {},
    )
    roles = assign_roles(cut)
    refuse_whole_groups(policy.claim, roles, standings)
    gates = gates_of(policy.gates, claim=policy.claim, reason=policy.reason, roles=roles)
    strata = _strata(unit, gates, roles)
    plan = _plan(policy, champion, roles, gates, strata, environment)
    refuse_unjudged_group(plan, roles)
    selection = Selection(plan, roles, matches, champion, strata)
    reach = measure_reach(roles, champion.manifest, standings, policy.limits)
    return Preview(selection, reach, (), barred, splits)


# --- private ---------------------------------------------------------------------------------------


def _strata(unit: UnitOfWork, gates: tuple[GateRequest, ...], roles: RoleTable) -> Strata | None:
    declarations = declared(gates)
    if not declarations:
        return None
    held_out = CohortStore(unit).named(row.case_id for row in roles.of(Role.HOLDOUT))
    return strata_of(declarations, roles, held_out)


def _plan(
    policy: Policy,
    champion: Champion,
    roles: RoleTable,
    gates: tuple[GateRequest, ...],
    strata: Strata | None,
    environment: Environment,
) -> Plan:
    return Plan(
        policy=policy.digest,
        policy_name=policy.name,
        reason=policy.reason,
        claim=policy.claim,
        model=policy.model.name,
        champion=champion.ref,
        roles=codec.digest_of(roles),
        counts=count_roles(roles),
        slots=_slots(policy, situation_of(policy.claim, roles)),
        gate_set=policy.gate_set,
        gates=gates,
        seed=policy.unlearn.seed,
        budget_steps=policy.unlearn.budget_steps,
        alias=policy.register_alias,
        environment=environment,
        strata=None if strata is None else codec.digest_of(strata),
    )


def _slots(policy: Policy, situation: Situation) -> tuple[Slot, ...]:
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
    asked = policy.unlearn.requests_in(situation)
    way_out = next((request for request in asked if request.name == LAST_METHOD), MethodRequest(LAST_METHOD, ()))
    methods = tuple(dict.fromkeys((*asked, way_out)))
    return Slot(1, methods, alpha / SLOTS), Slot(SLOTS, (way_out,), alpha / SLOTS)
