"""What every screen asks, and which claim has which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.contests import FORGOT, REMEMBERS, contest
from maintain.imaging import State
from maintain.records import Measurement
from maintain.vocabulary import Claim, Role
from maintain_pipelines.screening import screen

REFERENCES = (FORGOT, FORGOT, FORGOT)


def test_nothing_is_measured_for_the_claim_never_saw() -> None:
    def ask(state: State, roles: tuple[Role, ...]) -> tuple[Measurement, ...]:
        pytest.fail("a case was measured")

    found = screen(replace(contest(Claim.NEVER_SAW, FORGOT), ask=ask))
    assert not found.passed
    assert "No forget case may be measured" in found.reason


@pytest.mark.parametrize("claim", [Claim.EXAMPLES, Claim.GROUP])
def test_without_validation_cases_nothing_goes_on(claim: Claim) -> None:
    found = screen(contest(claim, FORGOT, references=REFERENCES, absent=Role.VALIDATION))
    assert not found.passed
    assert "no validation cases" in found.reason


@pytest.mark.parametrize("claim", [Claim.EXAMPLES, Claim.GROUP])
def test_what_loses_too_much_is_left(claim: Claim) -> None:
    found = screen(contest(claim, {**FORGOT, Role.VALIDATION: 64}, references=REFERENCES))
    assert not found.passed
    assert "loses 0.060 of retained accuracy, more than 0.05" in found.reason


@pytest.mark.parametrize("claim", [Claim.EXAMPLES, Claim.GROUP])
def test_what_forgot_and_kept_goes_on_with_its_figures(claim: Claim) -> None:
    found = screen(contest(claim, FORGOT, references=REFERENCES))
    assert found.passed, found.reason
    lost, *others = found.figures
    assert (lost.name, lost.value, lost.limit) == ("retained accuracy lost", 0.0, 0.05)
    assert len(others) >= 5
    assert not screen(contest(claim, REMEMBERS, references=REFERENCES)).passed


def test_the_plans_own_retention_margin_is_the_limit() -> None:
    given = contest(Claim.GROUP, {**FORGOT, Role.VALIDATION: 60}, references=REFERENCES)
    gates = tuple(
        replace(gate, options=tuple(replace(o, value=0.15) if o.name == "margin" else o for o in gate.options))
        for gate in given.plan.gates
    )
    assert not screen(given).passed
    assert screen(replace(given, plan=replace(given.plan, gates=gates))).passed
