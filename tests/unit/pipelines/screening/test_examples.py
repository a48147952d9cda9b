"""Forgotten cases against all validation cases, difficulty taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from helpers.contests import FORGOT, REMEMBERS, contest
from maintain.records import CaseDifficulty, Difficulty
from maintain.vocabulary import Claim, Role
from maintain_pipelines.screening import Screened, screen


def screened(candidate: Mapping[Role, int], champion: Mapping[Role, int] = REMEMBERS) -> Screened:
    return screen(contest(Claim.EXAMPLES, candidate, champion))


def test_without_a_forget_set_there_is_nothing_to_compare() -> None:
    found = screen(contest(Claim.EXAMPLES, FORGOT, absent=Role.FORGET))
    assert "no never-seen validation cases" in found.reason


def test_where_nothing_is_known_of_difficulty_the_method_is_left() -> None:
    given = contest(Claim.EXAMPLES, FORGOT)
    assert not screen(replace(given, difficulty=lambda _: None)).passed
    assert not screen(replace(given, difficulty=lambda _: Difficulty("none", 1, ()))).passed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({Role.FORGET: 100}, "An attack tells them apart"),
        ({Role.FORGET: 85}, "differ by +0.1"),
        ({Role.FORGET: 40}, "differ by -0.3"),
    ],
)
def test_a_candidate_outside_the_figures_is_left(change: dict[Role, int], said: str) -> None:
    found = screened({**FORGOT, **change})
    assert not found.passed
    assert said in found.reason


def test_less_than_half_of_a_small_gap_must_be_left() -> None:
    found = screened({**FORGOT, Role.FORGET: 77}, {**REMEMBERS, Role.FORGET: 80})
    assert not found.passed
    limits = [figure.limit for figure in found.figures if figure.name.startswith("candidate, forgotten minus")]
    assert limits == [pytest.approx(0.05, abs=0.01)]


def test_a_champion_that_remembers_nothing_shows_nothing() -> None:
    found = screened({**FORGOT, Role.FORGET: 60}, {**REMEMBERS, Role.FORGET: 60})
    assert "shows nothing to forget" in found.reason


def test_the_groups_few_cases_do_not_decide_alone() -> None:
    """Ten points worse on its own never-seen cases, and still like all of them together."""
    found = screened({**FORGOT, Role.NEVER_SEEN_VALIDATION: 62, Role.VALIDATION: 74})
    assert found.passed, found.reason
    assert {figure.cases for figure in found.figures[1:]} == {300}


def test_a_forget_set_that_is_only_harder_is_not_taken_for_damaged() -> None:
    """The proxy knows which cases are got wrong, in either arm."""
    given = contest(Claim.EXAMPLES, {**FORGOT, Role.FORGET: 50})
    assert not screen(given).passed
    rows = given.ask(given.candidate, (Role.FORGET, Role.VALIDATION, Role.NEVER_SEEN_VALIDATION))
    noise = np.random.default_rng(2)
    hard = tuple(
        CaseDifficulty(row.case_id, float(row.logits[1] > row.logits[0]) + noise.normal() / 10, 0.5, True, 0.5, 0.1)
        for row in rows
    )
    found = screen(replace(given, difficulty=lambda _: Difficulty("hard", 1, hard)))
    gap = next(figure for figure in found.figures if figure.name.startswith("candidate, forgotten minus"))
    assert abs(gap.value) < 0.05
