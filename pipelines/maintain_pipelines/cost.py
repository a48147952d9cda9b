"""What a method will cost, in optimiser steps, against the training that made the champion.

Said before anything is spent: steps are the unit of budgets, and they do not depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.errors import InputError
from maintain.records import MethodRequest, ModelSpec, RoleTable, Slot
from maintain.unlearn import Eligibility, check_recipe, method_info, retrain_eligibility, steps_of
from maintain.vocabulary import Role
from maintain_pipelines.champions import Champion

#: The method whose steps follow from the model's own recipe.
RETRAIN = "retrain"


@dataclass(frozen=True, slots=True)
class MethodCost:
    """One method that the plan may use: what it does, its steps, and what speaks for or against it.

    `steps` is None where they are known only once the method has run; the budget bounds them.
    """

    method: str
    doc: str
    steps: int | None
    champion_steps: int | None
    budget_steps: int
    notes: tuple[str, ...]


def cost_of(slot: Slot, request: MethodRequest, budget_steps: int, champion: Champion, roles: RoleTable) -> MethodCost:
    """The cost of a request of this slot. Raises `UnknownNameError` for a method of no table."""
    spec, manifest, method = champion.spec, champion.manifest, request.name
    retained = roles.of(Role.RETAIN)
    eligibility = Eligibility(())
    if method == RETRAIN:
        eligibility = retrain_eligibility(spec, manifest, retained, budget_steps=budget_steps)
    return MethodCost(
        method=slot.told(request),
        doc=method_info(method).doc,
        steps=_recipe_steps(spec, len(retained)) if method == RETRAIN else None,
        champion_steps=_recipe_steps(spec, len(manifest.learned)),
        budget_steps=budget_steps,
        notes=tuple(f"{finding.reason} {finding.remedy}" for finding in eligibility.reasons),
    )


# --- private ---------------------------------------------------------------------------------------


def _recipe_steps(spec: ModelSpec, cases: int) -> int | None:
    """Steps of the model's recipe over so many cases; None where there is no recipe to repeat."""
    if spec.recipe is None:
        return None
    try:
        check_recipe(spec.recipe)
    except InputError:
        return None
    return steps_of(spec.recipe, cases) if cases else 0
