"""Contests for the screens: weights that are right so many times in each role, and difficulty that says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from helpers.evidence import plan_of
from maintain.gates import gates_for, gates_of, request_for
from maintain.imaging import State
from maintain.records import (
    CaseDifficulty,
    Difficulty,
    Measurement,
    MethodRequest,
    Plan,
    PlannedCase,
    RoleTable,
    Slot,
)
from maintain.vocabulary import Claim, Reason, Role
from maintain_pipelines.screening import Contest

CASES = 100
ROLES = (Role.RETAIN, Role.VALIDATION, Role.FORGET, Role.NEVER_SEEN_VALIDATION)

#: Right answers in a hundred, by role: of a champion that remembers, and of a candidate that forgot.
REMEMBERS = {Role.VALIDATION: 70, Role.FORGET: 100, Role.NEVER_SEEN_VALIDATION: 70}
FORGOT = {Role.VALIDATION: 70, Role.FORGET: 72, Role.NEVER_SEEN_VALIDATION: 70}


def contest(
    claim: Claim,
    candidate: Mapping[Role, int],
    champion: Mapping[Role, int] = REMEMBERS,
    *,
    references: Sequence[Mapping[Role, int]] = (),
    absent: Role | None = None,
    label: str = "normal",
    difficulty: Difficulty | None = None,
) -> Contest:
    """A contest on two labels; the group has `label`, the rest has both, unless the group has one of its own."""
    roles = roles_of(label, absent)
    known: dict[str, Mapping[Role, int]] = {"champion": champion, "candidate": candidate}
    known |= {f"reference {number}": right for number, right in enumerate(references)}

    def ask(state: State, asked: tuple[Role, ...]) -> tuple[Measurement, ...]:
        (name,) = state
        return tuple(row for role in asked for row in answers(roles, role, known[name][role]))

    return Contest(
        plan=plan(claim, roles),
        roles=roles,
        ask=ask,
        champion={"champion": torch.zeros(1)},
        candidate={"candidate": torch.zeros(1)},
        references=tuple({f"reference {number}": torch.zeros(1)} for number in range(len(references))),
        difficulty=lambda cases: alike(cases) if difficulty is None else difficulty,
    )


def roles_of(label: str, absent: Role | None = None) -> RoleTable:
    """A hundred cases of each role, two a patient."""
    return RoleTable(
        tuple(
            PlannedCase(f"{role}-{n}", 1, label if role in ROLES[2:] else "normal", f"{role}-p{n // 2}", "", role, "")
            for role in ROLES
            if role is not absent
            for n in range(CASES)
        )
    )


def plan(claim: Claim, roles: RoleTable) -> Plan:
    """A plan for a device, with the gates that its roles ask for."""
    found = plan_of(roles, claim, Slot(1, (MethodRequest("retrain", ()),), 0.0125))
    asked = tuple(request_for(info.name) for info in gates_for(claim))
    gates = gates_of(asked, claim=claim, reason=Reason.DEVICE_DEPRECATED, roles=roles)
    return replace(found, reason=Reason.DEVICE_DEPRECATED, gates=gates)


def answers(roles: RoleTable, role: Role, right: int) -> tuple[Measurement, ...]:
    """So many right answers of a role, spread over it; how sure they are does not depend on it."""
    rows = roles.of(role)
    order = np.random.default_rng(0).permutation(len(rows))
    sure = 1.0 + np.linspace(0.0, 1.0, len(rows))
    return tuple(
        Measurement(
            "w", row.case_id, role, row.patient, (1,), (True,), (0.0, sure[n]) if order[n] < right else (sure[n], 0.0)
        )
        for n, row in enumerate(rows)
    )


def alike(cases: Sequence[PlannedCase]) -> Difficulty:
    """A proxy that finds every case about as difficult as any other."""
    draw = np.random.default_rng(1)
    rows = (CaseDifficulty(case.case_id, float(draw.normal()), 0.5, True, 0.5, 0.1) for case in cases)
    return Difficulty("none", 1, tuple(rows))
