"""The table of moves is the law: every move that is not in it is refused."""

from __future__ import annotations

import itertools

import pytest

from maintain.errors import IllegalMoveError
from maintain.vocabulary import RunState
from maintain_pipelines.states import BEGINNINGS, MOVES, check_move, check_slot, is_end

PAIRS = list(itertools.product(RunState, RunState))
ENDS = {"nothing-to-do", "rejected", "undecided", "failed", "abandoned", "registered"}


@pytest.mark.parametrize(("present", "following"), [pair for pair in PAIRS if pair[1] not in MOVES[pair[0]]])
def test_an_illegal_move_is_refused(present: RunState, following: RunState) -> None:
    with pytest.raises(IllegalMoveError, match=f"{present} cannot become {following}") as caught:
        check_move(present, following)
    assert caught.value.remedy


@pytest.mark.parametrize(("present", "following"), [pair for pair in PAIRS if pair[1] in MOVES[pair[0]]])
def test_a_legal_move_is_allowed(present: RunState, following: RunState) -> None:
    check_move(present, following)


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(RunState)
    assert {state.value for state in RunState if is_end(state)} == ENDS


def test_registered_is_reached_from_verified_alone() -> None:
    assert [state for state in RunState if RunState.REGISTERED in MOVES[state]] == [RunState.VERIFIED]


def test_every_state_can_be_reached() -> None:
    reached, open_states = set(BEGINNINGS), set(BEGINNINGS)
    while open_states:
        open_states = {to for state in open_states for to in MOVES[state]} - reached
        reached |= open_states
    assert reached == set(RunState)


@pytest.mark.parametrize(
    ("present", "following", "slot", "wanted"),
    [
        (RunState.UNLEARNED, RunState.PLANNED, 1, 1),
        (RunState.UNLEARNED, RunState.PLANNED, 1, 3),
        (RunState.UNLEARNED, RunState.PLANNED, 2, 3),
        (RunState.PLANNED, RunState.UNLEARNED, 1, 2),
        (RunState.UNLEARNED, RunState.VERIFIED, 2, 1),
    ],
)
def test_a_slot_grows_once_and_only_after_a_refusal(
    present: RunState, following: RunState, slot: int, wanted: int
) -> None:
    with pytest.raises(IllegalMoveError, match=f"in slot {wanted}"):
        check_slot(present, following, slot, wanted)


def test_a_refused_first_slot_leads_to_the_second() -> None:
    check_slot(RunState.UNLEARNED, RunState.PLANNED, 1, 2)
