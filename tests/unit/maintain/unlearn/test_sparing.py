"""Which forgotten cases are pushed, against the rule said slowly."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.boundaries import some_boundary
from maintain.unlearn.boundary import Boundary
from maintain.unlearn.sparing import Spared


def boundary(radii: list[float], right: list[bool]) -> Boundary:
    """Cases at these radii, NaN where none was found; those that were never right are crossed at once."""
    count = len(radii)
    return Boundary(
        truth=torch.zeros(count, dtype=torch.int64),
        labels=torch.ones(count, dtype=torch.int64),
        crossed=~torch.isnan(torch.tensor(radii)) | ~torch.tensor(right),
        radius=torch.where(torch.tensor(right), torch.tensor(radii), 0.0),
        logits=torch.zeros(count, 2),
        steps=torch.tensor([3 if one else 0 for one in right]),
    )


def test_what_the_champion_answered_is_what_is_known_at_first() -> None:
    assert Spared(some_boundary(), 0.5).answered.tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("count", "share", "stay"), [(1, 0.99, 0), (1, 1.0, 1), (5, 0.4, 2), (10, 0.7, 7), (5, 0.39, 1)]
)
def test_so_many_may_stay_rounded_down(count: int, share: float, stay: int) -> None:
    spared = Spared(boundary([0.1] * count, [True] * count), share)
    pushed = spared.pushed(torch.arange(count), torch.ones(count, dtype=torch.bool))
    assert int(pushed.sum()) == count - stay


def test_the_nearest_are_pushed_and_what_never_crossed_comes_last() -> None:
    spared = Spared(boundary([0.3, 0.1, math.nan, 0.2], [True] * 4), 0.5)
    assert spared.pushed(torch.tensor([2, 0, 3, 1]), torch.ones(4, dtype=torch.bool)).tolist() == [
        False,
        False,
        True,
        True,
    ]


def test_nothing_is_pushed_once_few_enough_are_right() -> None:
    spared = Spared(boundary([0.1, 0.2, 0.3, 0.4], [True] * 4), 0.5)
    first = spared.pushed(torch.tensor([0, 1]), torch.tensor([False, False]))
    assert first.tolist() == [False, False]
    assert spared.pushed(torch.tensor([2, 3]), torch.tensor([True, True])).tolist() == [False, False]
    back = spared.pushed(torch.tensor([0, 3]), torch.tensor([True, True]))
    assert back.tolist() == [True, False]


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[float], list[bool], float, list[tuple[list[int], list[bool]]]]:
    count = draw(st.integers(1, 8))
    radii = draw(st.lists(st.sampled_from([0.01, 0.02, 0.03, math.nan]), min_size=count, max_size=count))
    right = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    steps = []
    for _ in range(draw(st.integers(1, 4))):
        places = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
        steps.append((places, draw(st.lists(st.booleans(), min_size=len(places), max_size=len(places)))))
    return radii, right, draw(st.sampled_from([0.1, 0.25, 0.5, 0.7, 1.0])), steps


@given(courses())
def test_it_is_the_rule_said_slowly(
    course: tuple[list[float], list[bool], float, list[tuple[list[int], list[bool]]]],
) -> None:
    radii, right, share, steps = course
    spared = Spared(boundary(radii, right), share)
    known = dict(enumerate(right))
    allowed = math.floor(Fraction(str(share)) * len(radii))
    far = [math.inf if math.isnan(radius) else radius for radius in radii]
    distance = [radius if one else 0.0 for radius, one in zip(far, right, strict=True)]
    for places, answered in steps:
        known.update(zip(places, answered, strict=True))
        excess = sum(known.values()) - allowed
        still = [row for row, one in enumerate(answered) if one]
        chosen = sorted(still, key=lambda row: (distance[places[row]], row))[: max(excess, 0)]
        found = spared.pushed(torch.tensor(places), torch.tensor(answered))
        assert [row for row, one in enumerate(found.tolist()) if one] == sorted(chosen)
