from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from maintain.errors import InputError, NotEvaluatedError
from maintain.unlearn.boundary.options import LEVEL, Anneal, BoundaryOptions, StepRule
from maintain.unlearn.boundary.steps import (
    ball,
    change_of,
    climbed,
    finite_outputs,
    on_grid,
    other_margin,
    sign_direction,
)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(4, 1), (4,), (4, 3, 2)])
def test_outputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="no boundary"):
        finite_outputs(torch.zeros(shape))


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
def test_outputs_that_are_not_finite_are_not_evaluated(number: float) -> None:
    with pytest.raises(NotEvaluatedError, match="outputs"):
        finite_outputs(torch.tensor([[0.0, number]]))


def test_the_cross_entropy_is_the_softplus_of_the_margin() -> None:
    outputs, labels = 3 * drawn(1, 20, 5), torch.arange(20) % 5
    plain = functional.cross_entropy(outputs, labels, reduction="none")
    assert_close(functional.softplus(other_margin(outputs, labels)), plain)
    assert_close(climbed(outputs, labels, StepRule.LANGEVIN), plain)
    assert torch.equal(climbed(outputs, labels, StepRule.SIGN), other_margin(outputs, labels))


def test_the_closeness_pulls_back_to_the_image() -> None:
    """At 1, what stands at the full radius returns where its gradient is below the mean."""
    gradient = torch.tensor([[1.0, 1.0, 3.0, 3.0, 2.0, 2.0]])
    offset = 0.1 * torch.tensor([[1.0, -1.0, 1.0, -1.0, 0.0, 0.5]])
    found = sign_direction(gradient, offset, torch.zeros(1), closeness=1.0, radius=0.1)
    assert found.tolist() == [[-1, 1, 1, 1, 1, 1]]


def test_directions_do_not_depend_on_the_size_of_a_samples_gradient() -> None:
    gradient, offset, noise = drawn(1, 5, 3, 4, 4), 0.05 * drawn(2, 5, 3, 4, 4), drawn(3, 5, 3, 4, 4)
    sizes = torch.tensor([1.0, 1e-20, 1e-6, 1e6, 1e20]).view(5, 1, 1, 1)
    plain = sign_direction(gradient, offset, noise, closeness=0.3, radius=0.1)
    assert torch.equal(sign_direction(gradient * sizes, offset, noise, closeness=0.3, radius=0.1), plain)
    alone = sign_direction(gradient[2:3], offset[2:3], noise[2:3], closeness=0.3, radius=0.1)
    assert torch.equal(alone, plain[2:3])


def test_where_there_is_no_gradient_there_is_no_step() -> None:
    found = sign_direction(torch.zeros(2, 6), torch.zeros(2, 6), torch.zeros(2, 6), closeness=1.0, radius=0.1)
    assert not found.any()


def test_a_sign_step_is_its_size_in_every_pixel_and_noise_weighs_gamma() -> None:
    options = BoundaryOptions(radius=0.1, steps=4, noise=2.0, closeness=0.5, anneal=Anneal.INVERSE)
    gradient, offset, noise = drawn(1, 5, 6), 0.1 * drawn(2, 5, 6), drawn(3, 5, 6)
    found = change_of(gradient, offset, noise, options, 3)
    assert_close(found.abs(), torch.full((5, 6), options.step_size(3)))
    inside = gradient / gradient.abs().mean(dim=1, keepdim=True) - 0.5 / 3 / 0.1 * offset + 2.0 * noise
    assert torch.equal(found.sign(), inside.sign())


def test_a_langevin_step_is_the_literal_one() -> None:
    options = BoundaryOptions(radius=0.1, steps=4, rule=StepRule.LANGEVIN, closeness=0.5)
    gradient, offset, noise = drawn(1, 5, 6), 0.1 * drawn(2, 5, 6), drawn(3, 5, 6)
    a = options.step_size(2) ** 2
    found = change_of(gradient, offset, noise, options, 2)
    assert_close(found, a / 2 * (gradient - 0.5 * offset) + a**0.5 * noise)


def test_the_ball_stays_among_pixels() -> None:
    start = torch.tensor([[0.0, 0.05, 0.5, 0.95, 1.0]])
    low, high = ball(start, BoundaryOptions(radius=0.1))
    assert_close(low, torch.tensor([[0.0, 0.0, 0.4, 0.85, 0.9]]))
    assert_close(high, torch.tensor([[0.1, 0.15, 0.6, 1.0, 1.0]]))


@pytest.mark.parametrize("radius", [LEVEL, 0.0101, 10 * LEVEL, 0.1, 0.5])
def test_on_the_grid_the_ball_holds_the_stored_pixels_within_the_radius(radius: float) -> None:
    start = torch.arange(256).view(1, 256) / 255
    low, high = ball(start, BoundaryOptions(radius=radius, discretise=True))
    most = int(radius * 255 + 1e-6)
    levels = torch.arange(256)
    assert torch.equal((low[0] * 255).round().long(), (levels - most).clamp(min=0))
    assert torch.equal((high[0] * 255).round().long(), (levels + most).clamp(max=255))
    between = torch.rand(1, 256, generator=torch.Generator().manual_seed(1))
    low, high = ball(between, BoundaryOptions(radius=radius, discretise=True))
    assert bool((low <= high + 1e-6).all())
    assert_close(on_grid(low), low)
