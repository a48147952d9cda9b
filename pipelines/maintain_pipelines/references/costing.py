"""What the references of a plan will cost, said before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.errors import InputError
from maintain.records import Plan, RoleTable
from maintain.unlearn import check_recipe, steps_of
from maintain.unlearn.recipes import require_recipe
from maintain.vocabulary import Role
from maintain_pipelines.champions import Champion
from maintain_pipelines.context import Context
from maintain_pipelines.references.keeping import references_for
from maintain_pipelines.references.naming import REFERENCES, asks_for_references


@dataclass(frozen=True, slots=True)
class ReferenceCost:
    """So many references of so many steps, of which some are there already. They are not in the plan's budget."""

    references: int
    steps: int
    cached: int

    @property
    def missing(self) -> int:
        """How many are still to be trained."""
        return self.references - self.cached

    def told(self) -> str:
        """The cost in a sentence."""
        each = f"{self.references} references of {self.steps} steps each"
        return f"{each} are there already." if not self.missing else f"{each}, {self.cached} of them trained before."


def reference_cost(plan: Plan, roles: RoleTable, champion: Champion, context: Context) -> ReferenceCost | None:
    """The cost; None where the plan is judged without references, or its model cannot be trained again."""
    retained = roles.of(Role.RETAIN)
    if not asks_for_references(plan) or not retained:
        return None
    try:
        recipe = require_recipe(champion.spec.recipe)
        check_recipe(recipe)
    except InputError:
        return None
    cached = len(references_for(plan, roles, champion, context))
    return ReferenceCost(REFERENCES, steps_of(recipe, len(retained)), cached)
