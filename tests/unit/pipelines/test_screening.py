"""The screen of behavioural candidates: what is missing leaves a method, and figures decide the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from helpers.evidence import plan_of, role_table
from maintain.imaging import State
from maintain.records import Measurement, MethodRequest, Plan, Slot
from maintain.vocabulary import Claim, Role
from maintain_pipelines.screening import Screened, screen

CHAMPION: State = {"champion": torch.zeros(1)}
CANDIDATE: State = {"candidate": torch.zeros(1)}
PLAN = plan_of(role_table(holdout=10), Claim.EXAMPLES, Slot(1, (MethodRequest("retrain", ()),), 0.0125))

#: Right answers in ten, by role: of a champion that remembers, and of a candidate that forgot.
REMEMBERS = {Role.VALIDATION: 8, Role.FORGET: 10, Role.NEVER_SEEN_VALIDATION: 6}
FORGOT = {Role.VALIDATION: 8, Role.FORGET: 7, Role.NEVER_SEEN_VALIDATION: 6}


def answers(right: int, role: Role) -> tuple[Measurement, ...]:
    return tuple(
        Measurement("w", f"{role}-{n}", role, f"p{n // 2}", (1,), (True,), (0.0, 1.0) if n < right else (1.0, 0.0))
        for n in range(10)
    )


def screened(
    candidate: dict[Role, int], champion: dict[Role, int] = REMEMBERS, *, plan: Plan = PLAN, absent: Role | None = None
) -> Screened:
    def ask(state: State, roles: tuple[Role, ...]) -> tuple[Measurement, ...]:
        known = champion if state is CHAMPION else candidate
        return tuple(row for role in roles if role is not absent for row in answers(known[role], role))

    return screen(plan, ask, champion=CHAMPION, candidate=CANDIDATE)


def test_nothing_is_measured_for_the_claim_never_saw() -> None:
    def ask(state: State, roles: tuple[Role, ...]) -> tuple[Measurement, ...]:
        pytest.fail("a case was measured")

    found = screen(replace(PLAN, claim=Claim.NEVER_SAW), ask, champion=CHAMPION, candidate=CANDIDATE)
    assert not found.passed
    assert "No forget case may be measured" in found.reason


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (Role.VALIDATION, "no validation cases"),
        (Role.NEVER_SEEN_VALIDATION, "no never-seen validation cases"),
        (Role.FORGET, "no never-seen validation cases"),
    ],
)
def test_a_missing_side_leaves_the_method(absent: Role, said: str) -> None:
    found = screened(FORGOT, absent=absent)
    assert not found.passed
    assert said in found.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({Role.VALIDATION: 7}, "loses 0.100 of retained accuracy, more than 0.05"),
        ({Role.FORGET: 10}, "differ by +0.400 (champion +0.400), more than 0.100"),
        ({Role.FORGET: 4}, "differ by -0.200 (champion +0.400), more than 0.100"),
    ],
)
def test_a_candidate_outside_the_figures_is_left(change: dict[Role, int], said: str) -> None:
    found = screened({**FORGOT, **change})
    assert not found.passed
    assert said in found.reason


def test_less_than_half_of_a_small_gap_must_be_left() -> None:
    found = screened({**FORGOT, Role.FORGET: 7}, {**REMEMBERS, Role.FORGET: 7})
    assert not found.passed
    assert "more than 0.050" in found.reason


def test_a_champion_that_remembers_nothing_shows_nothing() -> None:
    found = screened({**FORGOT, Role.FORGET: 6}, {**REMEMBERS, Role.FORGET: 6})
    assert not found.passed
    assert "shows nothing to forget" in found.reason


def test_one_that_forgot_and_kept_goes_on_with_its_figures() -> None:
    found = screened(FORGOT)
    assert found.passed, found.reason
    figures = {figure.name: figure for figure in found.figures}
    assert figures["retained accuracy lost"].value == 0.0
    assert figures["retained accuracy lost"].limit == 0.05
    candidate = figures["candidate, forgotten minus never-seen accuracy"]
    assert candidate.value == pytest.approx(0.1)
    assert candidate.limit == pytest.approx(0.1)
    assert (candidate.cases, candidate.patients) == (20, 5)


def test_the_plans_own_retention_margin_is_the_limit() -> None:
    gates = tuple(
        replace(gate, options=tuple(replace(o, value=0.15) if o.name == "margin" else o for o in gate.options))
        for gate in PLAN.gates
    )
    assert screened({**FORGOT, Role.VALIDATION: 7}, plan=replace(PLAN, gates=gates)).passed
