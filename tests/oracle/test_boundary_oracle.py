"""The boundary search against a brute-force line search, and its steps against what is stated of them.

The statement is that of docs/methods/psg.md: on a smooth loss the mean of M over the path stays below its bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.special import erf, softmax
from torch import Tensor, nn
from torch.testing import assert_close

from helpers.boundaries import PLAIN, decided, linear, stored
from maintain.unlearn.boundary.noise import normals
from maintain.unlearn.boundary.options import BoundaryOptions
from maintain.unlearn.boundary.search import search_boundary
from maintain.unlearn.boundary.steps import change_of, other_margin, sign_direction

Floats = NDArray[np.float64]

#: Points of the brute-force line search.
FINE = 4_001
#: Runs over which an expectation is a mean.
RUNS = 400


def line_search(network: nn.Module, image: Floats, label: int, sign: Floats, radius: float) -> tuple[float, int] | None:
    """The first of many evenly spaced points on the clipped line where the answer is another: its radius and label.

    Looked at twice, the second time between the last point before it and that point: two boundaries may lie there.
    """
    layer = network[1]  # type: ignore[index]  # the helper's sequence of flatten and linear
    weight, bias = (part.detach().numpy().astype(np.float64) for part in (layer.weight, layer.bias))
    low, high = 0.0, radius
    for _ in range(2):
        lengths = np.linspace(low, high, FINE)
        points = np.clip(image + lengths[:, None] * sign, 0, 1)
        answers = (points @ weight.T + bias).argmax(axis=1)
        other = np.nonzero(answers != label)[0]
        if not len(other):
            return None
        first = int(other[0])
        low, high = float(lengths[max(first - 1, 0)]), float(lengths[first])
    return float(np.abs(points[first] - image).max()), int(answers[first])


def signs(network: nn.Module, images: Floats, labels: NDArray[np.int64]) -> Floats:
    """The sign of the cross-entropy's gradient in a linear network, by its formula."""
    layer = network[1]  # type: ignore[index]  # the helper's sequence of flatten and linear
    weight, bias = (part.detach().numpy().astype(np.float64) for part in (layer.weight, layer.bias))
    found: Floats = np.sign((softmax(images @ weight.T + bias, axis=1) - np.eye(len(bias))[labels]) @ weight)
    return found


def compare(network: nn.Module, images: Tensor, options: BoundaryOptions) -> int:
    labels = decided(network, PLAIN, images)
    found = search_boundary(network, PLAIN, images, labels, options, seed=1)
    plain = images.numpy().reshape(len(images), -1) / 255
    directions = signs(network, plain, labels.numpy())
    for row in range(len(images)):
        slow = line_search(network, plain[row], int(labels[row]), directions[row], options.radius)
        near_the_edge = slow is not None and slow[0] > options.radius * 0.999
        if near_the_edge:
            continue
        assert bool(found.crossed[row]) == (slow is not None)
        if slow is not None:
            assert float(found.radius[row]) == pytest.approx(slow[0], abs=2 * options.radius / FINE + 1e-6)
            assert int(found.labels[row]) == slow[1]
    return int(found.crossed.sum())


@given(seed=st.integers(0, 10_000), steps=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_two_classes_are_crossed_where_the_line_search_crosses(seed: int, steps: int) -> None:
    """The gradient of a linear network with two classes always points the same way, so every path is that line."""
    compare(linear(seed), stored(seed), BoundaryOptions(radius=0.3, steps=steps, reach=2.0, bisections=20))


@given(seed=st.integers(0, 10_000), classes=st.integers(3, 6))
@example(seed=1757, classes=4)  # two boundaries 2.4e-5 apart
@settings(max_examples=20, deadline=None)
def test_one_step_in_more_classes_finds_the_first_boundary_on_its_line(seed: int, classes: int) -> None:
    images = stored(seed, low=80, high=176)
    compare(linear(seed, classes), images, BoundaryOptions(radius=0.3, steps=1, reach=1.0, bisections=20))


def test_the_comparison_compares_something() -> None:
    crossed = [compare(linear(seed), stored(seed), BoundaryOptions(radius=0.2, bisections=20)) for seed in range(20)]
    assert 60 < sum(crossed) < 20 * 12 - 10


def test_the_radius_is_the_margin_over_the_l1_norm_of_the_plane() -> None:
    """The l-infinity distance to a hyperplane, where the box of pixels does not interfere."""
    network, images = linear(5), stored(5, 40, low=100, high=156)
    labels = decided(network, PLAIN, images)
    found = search_boundary(network, PLAIN, images, labels, BoundaryOptions(radius=0.3, bisections=20), seed=1)
    with torch.no_grad():
        outputs = network(PLAIN.pixels(images))
    weight = network[1].weight.detach()  # type: ignore[index]  # the helper's sequence of flatten and linear
    margin = outputs.gather(1, labels[:, None])[:, 0] - outputs.gather(1, 1 - labels[:, None])[:, 0]
    exact = margin / (weight[0] - weight[1]).abs().sum()
    assert found.crossed.sum() > 20
    assert_close(found.radius[found.crossed], exact[found.crossed], atol=2e-6, rtol=0)


def test_the_noise_is_normal_and_its_coordinates_and_cases_are_independent() -> None:
    drawn = normals(11, torch.arange(200), 3, (2000,)).numpy()
    assert stats.kstest(drawn[:50].ravel(), "norm").pvalue > 0.01
    assert abs(float(drawn.mean())) < 5e-3
    assert float(drawn.var()) == pytest.approx(1, abs=1e-2)
    assert float(stats.kurtosis(drawn.ravel())) == pytest.approx(0, abs=0.05)
    for matrix in (drawn, drawn.T[:200]):
        correlations = np.corrcoef(matrix)[np.triu_indices(200, 1)]
        assert float(np.sqrt(np.mean(correlations**2))) == pytest.approx(1 / np.sqrt(matrix.shape[1]), rel=0.1)


@pytest.mark.parametrize("gamma", [0.1, 1.0, 10.0])
def test_the_expected_direction_is_erf_of_each_coordinate(gamma: float) -> None:
    gradient = torch.tensor([[0.3, -0.02, 1.5, 0.0, -0.7, 0.001]]) * 1e-6
    many = gradient.expand(40_000, -1)
    noise = gamma * normals(1, torch.arange(len(many)), 1, (6,))
    found = sign_direction(many, torch.zeros_like(many), noise, closeness=0.0, radius=0.1).mean(dim=0)
    relative = gradient[0] / gradient.abs().mean()
    assert_close(found.double().numpy(), erf(relative.double().numpy() / (gamma * np.sqrt(2))), atol=0.02, rtol=0)


@dataclass(frozen=True)
class Smooth:
    """The cross-entropy of a smooth network around one point, less the closeness term."""

    network: nn.Module
    image: Tensor
    closeness: float = 0.0

    def value(self, offsets: Tensor) -> Tensor:
        labels = torch.zeros(len(offsets), dtype=torch.int64)
        loss = nn.functional.softplus(other_margin(self.network(self.image + offsets), labels))
        return loss - self.closeness / 2 * (offsets**2).sum(dim=1)

    def gradient(self, offsets: Tensor) -> Tensor:
        points = offsets.clone().requires_grad_()
        return torch.autograd.grad(self.value(points).sum(), points)[0]

    def curvature(self, offsets: Tensor) -> float:
        """The largest sum of |H_ij|: an upper bound of the l-infinity to l-1 norm of the Hessian at these points."""
        points = offsets.clone().requires_grad_()
        (slope,) = torch.autograd.grad(self.value(points).sum(), points, create_graph=True)
        rows = [torch.autograd.grad(slope[:, i].sum(), points, retain_graph=True)[0].abs() for i in range(6)]
        return float(torch.stack(rows).sum(dim=(0, 2)).max())


def smooth(activation: type[nn.Module], seed: int, closeness: float = 0.0) -> Smooth:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        last = nn.Linear(24, 3)
        network = nn.Sequential(nn.Linear(6, 24), activation(), last).double()
        with torch.no_grad():
            for weights in network.parameters():
                weights.mul_(2)
            image = torch.randn(1, 6, dtype=torch.float64)
            last.bias[0].add_(3)
    return Smooth(network.requires_grad_(False), image, closeness)


def gain(gradient: Tensor, noise: float) -> Tensor:
    """M(g) = sum |g_i| erf(|g_i| / (s sqrt 2)), where the noise s is relative to the mean |g|; the l1 norm at 0."""
    size = gradient.abs()
    if not noise:
        return size.sum(dim=1)
    return (size * torch.erf(size / (noise * size.mean(dim=1, keepdim=True) * 2**0.5))).sum(dim=1)


def walk(problem: Smooth, options: BoundaryOptions, *, uphill: float = 1.0) -> tuple[float, float, float]:
    """Means over runs of a path without projection: sum of eps_t M(g_t), the loss gained, and L / 2 sum eps_t^2."""
    offsets, places = torch.zeros(RUNS, 6, dtype=torch.float64), torch.arange(RUNS)
    begin, gained, squares, curvature = problem.value(offsets).mean(), 0.0, 0.0, 0.0
    for step in range(1, options.steps + 1):
        gradient = problem.gradient(offsets)
        gained += options.step_size(step) * float(gain(gradient, options.noise).mean())
        squares += options.step_size(step) ** 2
        change = uphill * change_of(gradient, offsets, normals(2, places, step, (6,)).double(), options, step)
        along = torch.rand(RUNS, 1, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
        curvature = max(curvature, problem.curvature(offsets + along * change))
        offsets = offsets + change
    return gained, float((problem.value(offsets).mean() - begin).detach()), curvature / 2 * squares


@pytest.mark.parametrize("activation", [nn.Softplus, nn.GELU, nn.Tanh])
@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
def test_the_mean_gain_over_the_path_stays_below_its_bound(activation: type[nn.Module], noise: float) -> None:
    for seed in range(2):
        options = BoundaryOptions(radius=0.5, steps=25, reach=2.0, noise=noise)
        promised, gained, curved = walk(smooth(activation, seed), options)
        assert 0 < promised <= gained + curved
        wrong, lost, curved = walk(smooth(activation, seed), BoundaryOptions(radius=0.01, noise=noise), uphill=-1.0)
        assert wrong > lost + curved, "the bound would hold in the wrong direction too: it bounds nothing"


@pytest.mark.parametrize("closeness", [0.0, 2.0])
def test_one_step_gains_at_least_what_is_stated_also_with_closeness(closeness: float) -> None:
    """With closeness each step climbs its own loss: lambda in raw units is relative to the gradient there."""
    options = BoundaryOptions(radius=0.5, steps=10, reach=1.0, closeness=closeness, noise=0.5)
    for seed in range(4):
        offset = 0.2 * torch.randn(1, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        plain = smooth(nn.Softplus, seed).gradient(offset)
        scale = float(plain.abs().mean())
        problem = smooth(nn.Softplus, seed, closeness * scale / options.radius)
        many = offset.expand(20_000, -1)
        drawn = normals(3, torch.arange(len(many)), 1, (6,)).double()
        after = problem.value(many + change_of(plain.expand_as(many), many, drawn, options, 4)).detach()
        size = problem.gradient(offset).abs()
        stated = float((size * torch.erf(size / (options.noise * scale * 2**0.5))).sum())
        step = options.step_size(4)
        around = offset + step * (2 * torch.rand(500, 6, generator=torch.Generator().manual_seed(1)).double() - 1)
        least = problem.value(offset) + step * stated - problem.curvature(around) / 2 * step**2
        assert (
            float(after.detach().mean()) >= float(least.detach()) - 4 * float(after.detach().std()) / len(many) ** 0.5
        )
