"""All that a report shows beside the records, from whatever a run left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from maintain.gates import Evidence, reads_group
from maintain.records import Plan, RoleTable
from maintain.report import NotShown, Shown
from maintain.vocabulary import Role, RunState
from maintain_pipelines.context import Context
from maintain_pipelines.reporting.attack import attack_of
from maintain_pipelines.reporting.beside import comparison_of
from maintain_pipelines.reporting.evidence import Left, evidence_of, or_why
from maintain_pipelines.reporting.groups import cameras_of, groups_of, labels_of
from maintain_pipelines.reporting.panels import UNREAD, panels_of
from maintain_pipelines.reporting.wish import read_wish
from maintain_pipelines.rundir import RunFolder

T = TypeVar("T")

#: Why nothing was measured.
NO_VERDICT = "The run reached no verdict, so no answers were measured."
NOTHING_TRAINED = "Nothing was trained, so there are no two versions to compare."


def shown_of(
    plan: Plan, roles: RoleTable, state: RunState, left: Left | None, folder: RunFolder, context: Context
) -> Shown:
    """Every part, or why it is not there. `left` is None where the run reached no verdict."""
    missing = NotShown(NOTHING_TRAINED if state is RunState.NOTHING_TO_DO else NO_VERDICT)
    evidence = missing if left is None else or_why(lambda: evidence_of(left))

    def given(make: Callable[[Evidence], T]) -> T | NotShown:
        return evidence if isinstance(evidence, NotShown) else or_why(lambda: make(evidence))

    return Shown(
        wish=read_wish(folder, plan.policy),
        panels=panels_of(plan, roles, evidence),
        by_class=given(lambda seen: groups_of(seen, labels_of(roles.of(Role.HOLDOUT)))),
        by_camera=given(lambda seen: groups_of(seen, cameras_of(roles, context))),
        attack=given(attack_of) if left is None or reads_group(plan) else NotShown(UNREAD),
        beside=missing if left is None else given(lambda seen: comparison_of(left, seen, context)),
    )
