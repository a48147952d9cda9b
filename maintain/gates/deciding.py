"""Which gates are asked of a candidate, and which of them decide.

A policy names gates; the roles of a plan say which of them mean anything, and the method of a candidate
says whether digests or answers decide. Nothing here looks at a result.
"""

from __future__ import annotations

from dataclasses import replace

from maintain.gates.options import GATES, gate_info
from maintain.records import GateRequest, Plan, RoleTable
from maintain.vocabulary import Claim, Reason, Role, Situation

#: The gate that decides for every candidate that was trained anew, whatever the claim.
NEVER_SAW = "never-saw"

#: Judges a group by models that never saw it, where labels of the group go on being answered.
REFERENCE = "reference"

#: Judges a group that is all there is of its labels.
ZERO = "zero"

#: The gate whose option opens the images of people who took back consent.
RANK = "rank"


def gates_of(
    asked: tuple[GateRequest, ...], *, claim: Claim, reason: Reason, roles: RoleTable
) -> tuple[GateRequest, ...]:
    """The gates of a policy that apply to a plan with these roles.

    A group is held against references or, where it is all there is of its labels, against zero. What people
    took back is not read again, so behaviour is then not measured, unless the policy says so.
    """
    unread = reason.personal and not _reads_withdrawn(asked)
    pointless = REFERENCE if whole_labels(roles) else ZERO
    kept = []
    for request in asked:
        info = gate_info(request.name)
        if (info.behaviour and unread) or request.name == pointless:
            continue
        kept.append(replace(request, decisive=request.decisive and claim not in info.reported))
    return tuple(kept)


def requests_of(plan: Plan, *, anew: bool) -> tuple[GateRequest, ...]:
    """The gates of a plan as they are asked of one candidate.

    One that was trained anew is decided by digests, and its behaviour is reported; of any other that started from
    the champion nobody asks whether it never saw, unless that is the claim.
    """
    if plan.claim is Claim.NEVER_SAW:
        return plan.gates
    if not anew:
        return tuple(request for request in plan.gates if request.name != NEVER_SAW)
    return tuple(
        replace(request, decisive=request.decisive and not gate_info(request.name).behaviour) for request in plan.gates
    )


def whole_labels(roles: RoleTable) -> frozenset[str]:
    """The labels of the forget set that no retained and no held-out case has, if those are all its labels."""
    gone = {row.label for row in roles.of(Role.FORGET)}
    left = {row.label for row in roles.of(Role.RETAIN, Role.VALIDATION, Role.HOLDOUT)}
    return frozenset() if gone & left else frozenset(gone)


def situation_of(claim: Claim, roles: RoleTable) -> Situation:
    """What a plan with these roles asks of its methods."""
    return Situation.WHOLE_LABEL if claim is Claim.GROUP and whole_labels(roles) else Situation(claim.value)


def reads_group(plan: Plan) -> bool:
    """Whether any gate of the plan needs answers for cases of the forget group."""
    return any(GATES[request.name].behaviour for request in plan.gates if request.name in GATES)


# --- private ---------------------------------------------------------------------------------------


def _reads_withdrawn(asked: tuple[GateRequest, ...]) -> bool:
    return any(
        setting.name == "read_withdrawn" and setting.value is True
        for request in asked
        if request.name == RANK
        for setting in request.options
    )
