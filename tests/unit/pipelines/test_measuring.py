"""Which roles a verdict reads: what people took back never, held-out cases only where a gate asks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import honest_evidence
from helpers.offers import TOY, state
from maintain.gates import gates_for, gates_of, request_for
from maintain.records import Plan, Setting
from maintain.vocabulary import Claim, Reason, Role
from maintain_pipelines.measuring import Subject, held_out_roles, lineage_roles, measured_roles, once

EVERY = (Role.FORGET, Role.HOLDOUT, Role.NEVER_SEEN)


def plan_for(claim: Claim, reason: Reason, settings: tuple[tuple[str, Setting], ...] = ()) -> Plan:
    evidence = honest_evidence(claim=claim)
    given = {name: (setting,) for name, setting in settings}
    asked = tuple(request_for(info.name, given.get(info.name, ())) for info in gates_for(claim))
    return replace(evidence.plan, gates=gates_of(asked, claim=claim, reason=reason, roles=evidence.roles))


@pytest.mark.parametrize("reason", [Reason.CONSENT, Reason.DATA_SUBJECT])
def test_nothing_of_the_group_is_read_where_people_took_it_back(reason: Reason) -> None:
    include = (("retention", Setting("include_forget_group", True)),)
    plan = plan_for(Claim.NEVER_SAW, reason, include)
    for roles in (held_out_roles, measured_roles, lineage_roles):
        assert roles(plan) == (Role.HOLDOUT,)


def test_the_group_is_read_where_the_policy_says_so_or_nobody_took_it_back() -> None:
    allowed = (("rank", Setting("read_withdrawn", True)),)
    for plan in (
        plan_for(Claim.NEVER_SAW, Reason.CONSENT, allowed),
        *(plan_for(claim, Reason.DEVICE_DEPRECATED) for claim in Claim),
    ):
        assert held_out_roles(plan) == (Role.HOLDOUT, Role.NEVER_SEEN)
        assert sorted(measured_roles(plan)) == sorted(EVERY)
        assert lineage_roles(plan) == (Role.HOLDOUT,)


def test_the_first_version_is_asked_about_the_group_where_retention_includes_it() -> None:
    include = (("retention", Setting("include_forget_group", True)),)
    plan = plan_for(Claim.EXAMPLES, Reason.OUTLIER, include)
    assert lineage_roles(plan) == (Role.HOLDOUT, Role.NEVER_SEEN)


def test_the_same_weights_are_asked_once_as_the_first_of_their_name() -> None:
    candidate = Subject("a", TOY.spec(), state(1), EVERY)
    champion = Subject("b", TOY.spec(), state(2), EVERY)
    again = Subject("a", TOY.spec(), state(1), (Role.HOLDOUT,))
    assert once((candidate, champion, again)) == (candidate, champion)
    assert once(()) == ()
