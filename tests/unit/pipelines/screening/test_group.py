"""A group is compared with references, arm by arm, or where a label is withdrawn with nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from helpers.contests import FORGOT, REMEMBERS, contest
from maintain.vocabulary import Claim, Role
from maintain_pipelines.screening import Screened, hopeless, screen

NONE = {Role.FORGET: 0, Role.NEVER_SEEN_VALIDATION: 0}
GIVEN = {Role.FORGET: 100, Role.NEVER_SEEN_VALIDATION: 90}


def beside(candidate: Mapping[Role, int], *references: Mapping[Role, int], absent: Role | None = None) -> Screened:
    return screen(contest(Claim.GROUP, candidate, references=references or (FORGOT,) * 3, absent=absent))


def withdrawn(candidate: Mapping[Role, int], champion: Mapping[Role, int] = GIVEN) -> Screened:
    kept = {Role.VALIDATION: 70}
    return screen(contest(Claim.GROUP, {**kept, **candidate}, {**kept, **champion}, label="retired"))


def test_two_references_are_no_yardstick() -> None:
    found = beside(FORGOT, FORGOT, FORGOT)
    assert "no references to compare it with" in found.reason


@pytest.mark.parametrize("absent", [Role.FORGET, Role.NEVER_SEEN_VALIDATION])
def test_a_missing_arm_leaves_the_method(absent: Role) -> None:
    assert "cases of the group to compare it on" in beside(FORGOT, absent=absent).reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({Role.FORGET: 90}, "On forgotten cases it differs from the references by +0.180 (champion +0.280)"),
        ({Role.FORGET: 50}, "On forgotten cases it differs from the references by -0.220"),
        ({Role.NEVER_SEEN_VALIDATION: 50}, "On never-seen cases it differs from the references by -0.200"),
    ],
)
def test_a_candidate_outside_either_arm_is_left(change: dict[Role, int], said: str) -> None:
    found = beside({**FORGOT, **change})
    assert not found.passed
    assert said in found.reason


def test_references_that_disagree_are_no_yardstick() -> None:
    found = beside(FORGOT, FORGOT, FORGOT, {**FORGOT, Role.FORGET: 60})
    assert "The references disagree by 0.120 on forgotten cases; 0.1 is allowed." in found.reason


@pytest.mark.parametrize(
    "references",
    [
        (FORGOT, FORGOT),
        (FORGOT, FORGOT, {**FORGOT, Role.NEVER_SEEN_VALIDATION: 57}),
        ({**FORGOT, Role.FORGET: 95},) * 3,
    ],
)
def test_what_no_candidate_can_mend_is_known_before_there_is_one(references: tuple[Mapping[Role, int], ...]) -> None:
    found = contest(Claim.GROUP, FORGOT, references=references)
    before = hopeless(replace(found, candidate={}))
    assert before is not None
    assert (before.passed, before.reason) == (False, screen(found).reason)
    assert hopeless(contest(Claim.GROUP, FORGOT, references=(FORGOT,) * 3)) is None


@pytest.mark.parametrize("role", [Role.FORGET, Role.NEVER_SEEN_VALIDATION])
def test_an_arm_without_cases_is_known_before_there_is_a_candidate(role: Role) -> None:
    found = hopeless(contest(Claim.GROUP, FORGOT, references=(FORGOT,) * 3, absent=role))
    assert found is not None
    assert "cases of the group to compare it on" in found.reason


def test_other_claims_and_withdrawn_labels_have_no_references_to_miss() -> None:
    assert hopeless(contest(Claim.EXAMPLES, FORGOT)) is None
    assert hopeless(contest(Claim.GROUP, FORGOT, label="retired")) is None


def test_a_champion_that_answers_as_they_do_shows_nothing() -> None:
    found = beside(FORGOT, *({**FORGOT, Role.FORGET: 95},) * 3)
    assert "nothing to forget" in found.reason


def test_the_mean_of_the_references_is_the_yardstick() -> None:
    lower, higher = ({**FORGOT, Role.FORGET: right} for right in (68, 76))
    found = beside(FORGOT, lower, FORGOT, higher)
    assert found.passed, found.reason
    figures = {figure.name: figure for figure in found.figures}
    assert figures["candidate less references, forgotten accuracy"].value == pytest.approx(0.0)
    assert figures["spread of the references, forgotten accuracy"].value == pytest.approx(0.08)
    assert figures["candidate less references, forgotten accuracy"].patients == 50


def test_a_withdrawn_label_needs_no_references() -> None:
    found = withdrawn({Role.FORGET: 1, Role.NEVER_SEEN_VALIDATION: 1})
    assert found.passed, found.reason
    assert [figure.value for figure in found.figures[1:]] == [1.0, 0.01, 0.9, 0.01]


@pytest.mark.parametrize(
    ("candidate", "champion", "said"),
    [
        ({**NONE, Role.FORGET: 2}, GIVEN, "0.020 of forgotten cases are still given the label; 0.02 is allowed"),
        ({**NONE, Role.NEVER_SEEN_VALIDATION: 30}, GIVEN, "0.300 of never-seen cases are still given"),
        (NONE, {**GIVEN, Role.FORGET: 0}, "The champion does not give the label either"),
    ],
)
def test_a_label_that_is_still_given_leaves_the_method(
    candidate: dict[Role, int], champion: dict[Role, int], said: str
) -> None:
    found = withdrawn(candidate, champion)
    assert not found.passed
    assert said in found.reason


def test_the_champion_itself_is_left() -> None:
    assert not beside(REMEMBERS).passed
    assert not withdrawn(GIVEN).passed
