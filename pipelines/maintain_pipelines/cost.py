"""What each request of a plan will cost, in optimiser steps, against the training that made the champion.

Said before anything is spent: steps are the unit of budgets, and they do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maintain.records import MethodRequest, ModelSpec, Plan, RoleTable, Setting, TrainingManifest
from maintain.unlearn import Finding, foresee, method_info, recipe_steps
from maintain.vocabulary import Claim, Role

#: The method whose steps follow from the model's own recipe.
RETRAIN = "retrain"


@dataclass(frozen=True, slots=True)
class MethodCost:
    """One request of the plan: what it does, its steps, and what speaks for or against it.

    `steps` are the most it takes, None where they are known only once it has run; `budget_steps` bounds them, and
    `before` are the most that the requests in front of it take. One with `blocked` is left without a step.
    """

    method: str
    told: str
    doc: str
    steps: int | None
    champion_steps: int | None
    budget_steps: int
    before: int
    blocked: bool
    notes: tuple[str, ...]


def costs_of(plan: Plan, spec: ModelSpec, manifest: TrainingManifest, roles: RoleTable) -> tuple[MethodCost, ...]:
    """The cost of every request of the first slot. Raises `UnknownNameError` for a method of no table."""
    slot, costs = plan.slots[0], list[MethodCost]()
    for place, request in enumerate(slot.methods):
        asked = _Asked(
            spec=spec,
            manifest=manifest,
            roles=roles,
            options=request.options,
            seed=plan.seed,
            budget_steps=plan.budget_steps - reserved_steps(spec, roles, slot.methods[place + 1 :]),
        )
        before = sum(cost.steps or 0 for cost in costs if not cost.blocked)
        costs.append(_cost(plan, request, asked, before=before))
    return tuple(costs)


def reserved_steps(spec: ModelSpec, roles: RoleTable, later: Sequence[MethodRequest]) -> int:
    """What a search keeps back while it tries a request: a training anew, where one stands behind it."""
    if not any(never_saw(request) for request in later):
        return 0
    return recipe_steps(spec.recipe, len(roles.of(Role.RETAIN))) or 0


def never_saw(request: MethodRequest) -> bool:
    """Whether the method proves every claim by construction, so that nothing need be measured to choose it."""
    return Claim.NEVER_SAW in method_info(request.name).claims


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request before there is a run: all that is needed to say whether it can be tried."""

    spec: ModelSpec
    manifest: TrainingManifest
    roles: RoleTable
    options: tuple[Setting, ...]
    seed: int
    budget_steps: int


def _cost(plan: Plan, request: MethodRequest, asked: _Asked, *, before: int) -> MethodCost:
    info, left = method_info(request.name), asked.budget_steps
    foreseen = foresee(request.name, asked)
    steps = None if foreseen is None else foreseen.steps
    claimed = plan.claim in info.claims
    notes = [] if claimed else [f"It cannot support the claim {plan.claim}, so it is left."]
    notes += [_said(finding) for finding in (foreseen.eligibility.reasons if foreseen and claimed else ())]
    blocked = not claimed or (foreseen is not None and not foreseen.eligibility.ok)
    if not blocked and not never_saw(request) and steps is not None and before + steps > left:
        notes.append(f"If everything before it takes all of its steps, only {max(left - before, 0)} are left for it.")
    return MethodCost(
        method=request.name,
        told=plan.slots[0].told(request),
        doc=info.doc,
        steps=steps,
        champion_steps=recipe_steps(asked.spec.recipe, len(asked.manifest.learned)),
        budget_steps=plan.budget_steps,
        before=before,
        blocked=blocked,
        notes=tuple(notes),
    )


def _said(finding: Finding) -> str:
    return f"{finding.reason} {finding.remedy}"
