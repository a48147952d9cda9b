from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from maintain.errors import InputError
from maintain.unlearn.boundary.options import (
    RADIUS,
    Anneal,
    BoundaryOptions,
    StepRule,
    projected_steps,
    single_step,
)


@pytest.mark.parametrize(
    "values",
    [
        {"radius": 0.0},
        {"radius": 1.1},
        {"radius": math.nan},
        {"steps": 0},
        {"steps": 1001},
        {"reach": 0.9},
        {"bisections": -1},
        {"bisections": 21},
        {"closeness": -0.1},
        {"closeness": math.inf},
        {"noise": -1.0},
        {"noise": math.nan},
    ],
    ids=str,
)
def test_numbers_outside_their_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="cannot be"):
        BoundaryOptions(**values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BoundaryOptions(rule=StepRule.LANGEVIN, noise=0.1),
        lambda: BoundaryOptions(discretise=True, radius=0.003),
        lambda: BoundaryOptions(replicate=True),
        lambda: BoundaryOptions(replicate=True, steps=1, bisections=0, rule=StepRule.LANGEVIN),
    ],
)
def test_options_that_contradict_each_other_are_refused(make: Callable[[], BoundaryOptions]) -> None:
    with pytest.raises(InputError, match="contradict"):
        make()


def test_steps_fall_with_the_root_and_are_together_as_long_as_the_reach() -> None:
    options = BoundaryOptions(radius=0.3, steps=9, reach=1.5)
    steps = [options.step_size(step) for step in range(1, 10)]
    assert sum(steps) == pytest.approx(0.45)
    assert [steps[0] / step for step in steps] == pytest.approx([math.sqrt(t) for t in range(1, 10)])


def test_steady_steps_are_alike_and_those_of_boundary_shrink_are_eight_levels() -> None:
    options = projected_steps(0.1)
    assert [options.step_size(step) for step in range(1, 6)] == pytest.approx([8 / 255] * 5)
    assert (options.steps, options.bisections, options.radius) == (5, 0, 0.1)
    assert [projected_steps(0.4).step_size(step) for step in (1, 5)] == pytest.approx([0.08, 0.08])


def test_one_step_is_at_least_the_radius_so_that_its_projection_is_fgsm() -> None:
    assert single_step(0.07).step_size(1) >= 0.07
    assert (single_step().noise, single_step().closeness, single_step().radius) == (0.0, 0.0, RADIUS)


@pytest.mark.parametrize(
    ("anneal", "factors"),
    [
        (Anneal.NONE, [1, 1, 1, 1]),
        (Anneal.INVERSE, [1, 1 / 2, 1 / 3, 1 / 4]),
        (Anneal.LINEAR, [1, 3 / 4, 2 / 4, 1 / 4]),
        (Anneal.EXPONENTIAL, [1, 0.01**0.25, 0.1, 0.01**0.75]),
    ],
)
def test_the_closeness_is_annealed_from_its_full_value(anneal: Anneal, factors: list[float]) -> None:
    options = BoundaryOptions(steps=4, closeness=0.5, anneal=anneal)
    assert [options.closeness_at(step) for step in range(1, 5)] == pytest.approx([0.5 * one for one in factors])
