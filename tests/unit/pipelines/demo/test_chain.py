"""When a story counts as having ended in the way it is told, and what the impostor may do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maintain.report import Report
from maintain.vocabulary import Outcome, RunState
from maintain_pipelines.demo import STORIES, Story, Told, Way
from maintain_pipelines.demo.impostor import _next
from maintain_pipelines.journal import RunRow
from maintain_pipelines.run import STEPS, next_step


def told(
    way: Way,
    state: RunState,
    method: str | None,
    *,
    failed: tuple[str, ...] = (),
    registered: bool = True,
) -> Told:
    """A story that was left in this state by a candidate of this method."""
    gates = tuple(SimpleNamespace(gate=gate, outcome=Outcome.FAIL) for gate in failed)
    report: Any = SimpleNamespace(
        ending=SimpleNamespace(state=state),
        candidate=SimpleNamespace(method=method) if method else None,
        verdict=SimpleNamespace(gates=gates),
        registration=object() if registered else None,
    )
    return Told(Story("x", "A story", "p.yaml", "It happens.", way), "run", cast(Report, report), Path("page"))


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.UNDECIDED, RunState.ABANDONED, RunState.FAILED])
@pytest.mark.parametrize("way", [Way.RETRAINED, Way.REVISED])
def test_nothing_registered_is_never_as_meant(way: Way, state: RunState) -> None:
    assert not told(way, state, "retrain", registered=False).as_meant
    assert not told(way, state, "reset-refit", registered=False).as_meant


def test_a_retrain_in_the_place_of_a_revision_is_not_as_meant_and_the_other_way_round() -> None:
    assert told(Way.RETRAINED, RunState.REGISTERED, "retrain").as_meant
    assert not told(Way.RETRAINED, RunState.REGISTERED, "psg").as_meant
    assert told(Way.REVISED, RunState.REGISTERED, "psg").as_meant
    assert not told(Way.REVISED, RunState.REGISTERED, "retrain").as_meant


def test_an_impostor_must_be_refused_by_a_gate_of_forgetting_and_by_no_other_alone() -> None:
    assert told(Way.REFUSED, RunState.ABANDONED, "reset-refit", failed=("membership",), registered=False).as_meant
    assert not told(Way.REFUSED, RunState.ABANDONED, "reset-refit", failed=("integrity",), registered=False).as_meant
    assert not told(Way.REFUSED, RunState.ABANDONED, "reset-refit", registered=False).as_meant
    assert not told(Way.REFUSED, RunState.REGISTERED, "reset-refit", failed=("membership",)).as_meant


def row(state: RunState, slot: int = 1) -> RunRow:
    return cast(RunRow, SimpleNamespace(state=state, slot=slot))


def test_an_impostor_that_passed_is_not_registered_and_no_retrain_takes_its_place() -> None:
    assert _next(row(RunState.VERIFIED)) is None
    assert _next(row(RunState.PLANNED, slot=2)) is None
    assert _next(row(RunState.UNLEARNED)) is STEPS[RunState.UNLEARNED], "it is judged as every candidate is"
    assert next_step(row(RunState.REGISTERED)) is None


def test_the_stories_are_told_once_each_and_one_of_them_must_fail() -> None:
    assert [story.letter for story in STORIES] == ["a", "e", "b", "c", "d"]
    assert len({story.policy for story in STORIES}) == len(STORIES)
    assert [story.letter for story in STORIES if story.way is Way.REFUSED] == ["e"]
    assert [story.letter for story in STORIES if story.letter_arrives] == ["c"]
