"""Forgotten, never-seen and retained cases, each answered by the old and by the new version."""

from __future__ import annotations

from maintain.gates import Evidence, reads_group
from maintain.gates.answers import answers_of
from maintain.records import Plan, RoleTable
from maintain.report import NotShown, OldAndNew, Panel
from maintain.vocabulary import Role
from maintain_pipelines.reporting.evidence import FEWEST_PATIENTS, TOO_FEW, answered, or_why

#: The kinds of cases in the order of the page.
KINDS = (
    (Role.FORGET, "Forgotten", "what the old version learned from and the new one must not show"),
    (Role.NEVER_SEEN, "Never seen, same group", "held-out cases that the policy matches: no version ever saw them"),
    (Role.HOLDOUT, "Retained, held out", "held-out cases outside the group: what must go on working"),
)

#: Why the group of a plan that is judged by digests has no answers.
UNREAD = "Not asked: this plan is decided by digests, and no image of these people is read again to measure behaviour."


def panels_of(plan: Plan, roles: RoleTable, evidence: Evidence | NotShown) -> tuple[Panel, ...]:
    """One panel a kind, also where it has nothing to show."""
    return tuple(_panel(plan, roles, evidence, role, title, told) for role, title, told in KINDS)


# --- private ---------------------------------------------------------------------------------------


def _panel(plan: Plan, roles: RoleTable, evidence: Evidence | NotShown, role: Role, title: str, told: str) -> Panel:
    cases = roles.of(role)
    patients = len({case.patient for case in cases})
    return Panel(title, told, len(cases), patients, _answers(plan, evidence, role, len(cases), patients))


def _answers(plan: Plan, evidence: Evidence | NotShown, role: Role, cases: int, patients: int) -> OldAndNew | NotShown:
    if not cases:
        return NotShown("The plan has no such case.")
    if role is not Role.HOLDOUT and not reads_group(plan):
        return NotShown(UNREAD)
    if isinstance(evidence, NotShown):
        return evidence
    if patients < FEWEST_PATIENTS:
        return NotShown(TOO_FEW)
    return or_why(
        lambda: OldAndNew(
            champion=answered(answers_of(evidence, plan.champion.weights, role)),
            candidate=answered(answers_of(evidence, evidence.candidate.weights, role)),
        )
    )
