"""A candidate together with what it answers: the plan, the roles, the champion and the slot.

Verify judges an offer and register accepts one; neither stage needs to know the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.records import Candidate, Plan, RoleTable, Slot
from maintain_pipelines.champions import Champion
from maintain_pipelines.claims import Claim


@dataclass(frozen=True, slots=True)
class Offer:
    """What a run offers to its gates, and after them to the registry, while its claim stands."""

    claim: Claim
    plan: Plan
    roles: RoleTable
    champion: Champion
    slot: Slot
    candidate: Candidate

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.claim.holder
