"""What a plan costs is said of every request before a step: its steps, what stands in its way, and what is left."""

from __future__ import annotations

from dataclasses import replace

from helpers.evidence import plan_of
from helpers.toy_requests import toy_request
from maintain.records import MethodRequest, Setting, Slot
from maintain.unlearn import steps_of
from maintain.vocabulary import Claim, Role
from maintain_pipelines.cost import MethodCost, costs_of

TOY = toy_request(12)
RETRAIN = MethodRequest("retrain", ())


def relabel(steps: int) -> MethodRequest:
    return MethodRequest("random-label", (Setting("steps", steps),))


def costs(*methods: MethodRequest, claim: Claim = Claim.EXAMPLES, budget: int = 1000) -> tuple[MethodCost, ...]:
    plan = replace(plan_of(TOY.roles, claim, Slot(1, methods, 0.0125)), budget_steps=budget)
    return costs_of(plan, TOY.spec, TOY.manifest, TOY.roles)


def retrain_steps() -> int:
    assert TOY.spec.recipe is not None
    return steps_of(TOY.spec.recipe, len(TOY.roles.of(Role.RETAIN)))


def test_a_method_that_cannot_support_the_claim_is_left() -> None:
    left, taken = costs(relabel(20), RETRAIN, claim=Claim.NEVER_SAW)
    assert left.blocked
    assert left.notes == ("It cannot support the claim never-saw, so it is left.",)
    assert not taken.blocked
    assert taken.before == 0


def test_what_stands_in_the_way_is_said_before_a_step_of_every_method() -> None:
    (left, _) = costs(relabel(20), RETRAIN, budget=retrain_steps() + 19)
    assert left.blocked
    assert "takes 20 steps; the budget is 19" in left.notes[0]
    noticed = costs(MethodRequest("scrub", (Setting("steps", 10), Setting("forget_batch", 1))), RETRAIN)[0]
    assert any("max-steps alone" in note for note in noticed.notes)


def test_combinations_are_told_apart_and_each_counts() -> None:
    first, second, last = costs(relabel(20), relabel(30), RETRAIN)
    assert [cost.told for cost in (first, second, last)] == [
        "random-label (steps 20)",
        "random-label (steps 30)",
        "retrain",
    ]
    assert [(cost.steps, cost.before) for cost in (first, second, last)] == [(20, 0), (30, 20), (retrain_steps(), 50)]
    assert first.champion_steps is not None
    assert first.champion_steps > retrain_steps()


def test_a_budget_that_holds_each_and_not_all_says_what_would_be_left() -> None:
    first, second, last = costs(relabel(20), relabel(30), RETRAIN, budget=retrain_steps() + 49)
    assert (first.notes, last.notes) == ((), ())
    assert second.notes == ("If everything before it takes all of its steps, only 29 are left for it.",)
    assert not second.blocked
