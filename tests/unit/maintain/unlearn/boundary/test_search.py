from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

from helpers.boundaries import FLOAT, PLAIN, convolutional, decided, linear, standardise, stored
from maintain.errors import InputError, NotEvaluatedError
from maintain.imaging import Chain
from maintain.unlearn.boundary.labels import Boundary, joined
from maintain.unlearn.boundary.noise import normals
from maintain.unlearn.boundary.options import LEVEL, Anneal, BoundaryOptions, StepRule, single_step
from maintain.unlearn.boundary.search import frozen, search_boundary
from maintain.unlearn.boundary.steps import change_of, climbed

OPTIONS = BoundaryOptions(radius=0.02)


class Bent(torch.autograd.Function):
    """The identity, with gradients that are not numbers."""

    @staticmethod
    def forward(context: Any, batch: Tensor) -> Tensor:
        return batch.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * torch.nan


class Bend(nn.Module):
    def forward(self, batch: Tensor) -> Tensor:
        bent: Tensor = Bent.apply(batch)  # type: ignore[no-untyped-call]  # torch leaves `apply` unannotated
        return bent


class Fixed(nn.Module):
    """Answers class 0 whatever it sees, and has no gradient."""

    def forward(self, batch: Tensor) -> Tensor:
        return batch.flatten(1)[:, :3] * 0 + torch.tensor([1.0, 0.0, 0.5])


class Counting(nn.Module):
    """Counts how many images it is asked about, and whether its weights ask for gradients meanwhile."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.asked, self.weighed = network, 0, False

    def forward(self, batch: Tensor) -> Tensor:
        self.asked += len(batch)
        self.weighed |= any(weight.requires_grad for weight in self.network.parameters())
        found: Tensor = self.network(batch)
        return found


def same(found: Boundary, other: Boundary, *, atol: float = 1e-5) -> None:
    assert torch.equal(found.labels, other.labels)
    assert torch.equal(found.crossed, other.crossed)
    assert torch.equal(found.steps, other.steps)
    assert_close(found.radius, other.radius, atol=atol, rtol=0, equal_nan=True)
    assert_close(found.logits, other.logits, atol=10 * atol, rtol=0)


def test_one_class_has_no_boundary() -> None:
    with pytest.raises(InputError, match="no boundary between classes"):
        search_boundary(linear(0, 1), PLAIN, stored(0), torch.zeros(12, dtype=torch.int64), OPTIONS, seed=1)


@pytest.mark.parametrize(
    "labels",
    [torch.zeros(0, dtype=torch.int64), torch.zeros(11, dtype=torch.int64), torch.zeros(12), torch.zeros(12, 1).long()],
    ids=["none", "too few", "not whole", "not flat"],
)
def test_labels_that_do_not_fit_the_images_are_refused(labels: Tensor) -> None:
    images = stored(0)[: len(labels)] if not len(labels) else stored(0)
    with pytest.raises(InputError, match="do not fit"):
        search_boundary(linear(0), PLAIN, images, labels, OPTIONS, seed=1)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_that_the_network_does_not_know_is_refused(label: int) -> None:
    with pytest.raises(InputError, match="not among the 2 classes"):
        search_boundary(linear(0), PLAIN, stored(0), torch.full((12,), label), OPTIONS, seed=1)


def test_seeds_and_places_below_zero_are_refused() -> None:
    labels = torch.zeros(12, dtype=torch.int64)
    with pytest.raises(InputError, match="seed -1"):
        search_boundary(linear(0), PLAIN, stored(0), labels, OPTIONS, seed=-1)
    with pytest.raises(InputError, match=f"seed {1 << 63}"):
        search_boundary(linear(0), PLAIN, stored(0), labels, OPTIONS, seed=1 << 63)
    with pytest.raises(InputError, match="place -2"):
        search_boundary(linear(0), PLAIN, stored(0), labels, OPTIONS, seed=1, first_place=-2)


def test_gradients_that_are_not_numbers_are_not_evaluated() -> None:
    network = nn.Sequential(Bend(), linear(0))
    with pytest.raises(NotEvaluatedError, match="gradients"):
        search_boundary(network, PLAIN, stored(0), torch.zeros(12, dtype=torch.int64), OPTIONS, seed=1)


def test_outputs_that_are_not_numbers_are_not_evaluated() -> None:
    network = linear(0)
    with torch.no_grad():
        next(network.parameters())[0, 0] = torch.nan
    with pytest.raises(NotEvaluatedError, match="outputs"):
        search_boundary(network, PLAIN, stored(0), torch.zeros(12, dtype=torch.int64), OPTIONS, seed=1)


def test_nothing_is_joined_from_nothing() -> None:
    with pytest.raises(InputError):
        joined([])


def test_one_step_without_extra_terms_is_fgsm() -> None:
    network, chain = convolutional(3)
    images = stored(3, 40, side=8, channels=3)
    labels = decided(network, chain, images)
    found = search_boundary(network, chain, images, labels, single_step(0.005), seed=1)
    pixels = chain.pixels(images).requires_grad_()
    loss = functional.cross_entropy(network(chain.standardised(pixels)), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, pixels)
    moved = (pixels.detach() + 0.005 * gradient.sign()).clamp(0, 1)
    with torch.no_grad():
        outputs = network(chain.standardised(moved))
    assert torch.equal(found.crossed, outputs.argmax(dim=1) != labels)
    assert 0 < found.uncrossed < len(found)
    assert_close(found.logits, outputs, atol=1e-5, rtol=0)
    change = (moved - pixels.detach()).abs().flatten(1).amax(dim=1)
    assert_close(found.radius[found.crossed], change[found.crossed])


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, closeness=0.5, noise=0.5, anneal=Anneal.INVERSE),
        replace(OPTIONS, rule=StepRule.LANGEVIN),
        replace(OPTIONS, discretise=True),
        single_step(0.002),
    ],
    ids=["plain", "closeness and noise", "langevin", "8 bit", "one short step"],
)
def test_the_other_label_is_another_and_the_radius_is_kept(options: BoundaryOptions) -> None:
    network, chain = convolutional(5)
    images = stored(5, 30, side=8, channels=3)
    labels = torch.arange(30) % 3
    found = search_boundary(network, chain, images, labels, options, seed=1)
    assert not (found.labels == labels).any()
    assert torch.equal(found.truth, labels)
    assert torch.equal(found.radius.isnan(), ~found.crossed)
    assert bool((found.radius[found.crossed] <= options.radius + 1e-6).all())
    wrong_before = decided(network, chain, images) != labels
    assert wrong_before.any()
    assert torch.equal(found.crossed & (found.steps == 0), wrong_before)
    assert not found.radius[wrong_before].any()
    assert bool((found.logits.argmax(dim=1) == found.labels)[found.crossed].all())
    assert bool((found.logits.argmax(dim=1) == labels)[~found.crossed].all())


def test_where_nothing_crosses_the_best_other_class_is_given_and_counted() -> None:
    found = search_boundary(Fixed(), PLAIN, stored(0), torch.zeros(12, dtype=torch.int64), OPTIONS, seed=1)
    assert found.uncrossed == len(found) == 12
    assert set(found.labels.tolist()) == {2}
    assert set(found.steps.tolist()) == {OPTIONS.steps}


def test_cases_that_have_crossed_are_not_computed_further() -> None:
    images, network = stored(2, 64), linear(2)
    labels = decided(network, PLAIN, images)
    options = replace(OPTIONS, bisections=0, steps=20, radius=0.2)
    watched = Counting(network)
    found = search_boundary(watched, PLAIN, images, labels, options, seed=1)
    assert len(set(found.steps.tolist())) > 4
    assert watched.asked == int((found.steps + 1).sum())
    assert not watched.weighed, "gradients of weights would be computed and thrown away"
    for steps in (1, 5):
        length = sum(options.step_size(step) for step in range(1, steps + 1))
        shorter = replace(options, steps=steps, reach=1.0, radius=length)
        first = search_boundary(network, PLAIN, images, labels, shorter, seed=1)
        early = found.steps <= steps
        assert torch.equal(first.crossed, early)
        assert_close(first.logits[early], found.logits[early])


@pytest.mark.parametrize("rule", StepRule)
def test_the_path_is_the_written_one_step_by_step(rule: StepRule) -> None:
    network, chain = convolutional(13)
    images = stored(13, 20, side=8, channels=3)
    labels = decided(network, chain, images)
    noise = 0.7 if rule is StepRule.SIGN else 0.0
    options = BoundaryOptions(radius=0.004, steps=3, reach=3.0, closeness=0.5, noise=noise, rule=rule)
    found = search_boundary(network, chain, images, labels, options, seed=6, first_place=5)
    start = chain.pixels(images)
    point = start.clone()
    for step in (1, 2, 3):
        points = point.clone().requires_grad_()
        loss = climbed(network(chain.standardised(points)), labels, rule)
        (gradient,) = torch.autograd.grad(loss.sum(), points)
        drawn = normals(6, torch.arange(5, 25), step, (3, 8, 8))
        moved = point + change_of(gradient, point - start, drawn, options, step)
        point = (start + (moved - start).clamp(-0.004, 0.004)).clamp(0, 1)
    with torch.no_grad():
        outputs = network(chain.standardised(point))
    assert found.uncrossed > 5
    assert_close(found.logits[~found.crossed], outputs[~found.crossed], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "options",
    [
        replace(OPTIONS, closeness=0.3),
        replace(OPTIONS, closeness=0.3, noise=1.0),
        replace(OPTIONS, radius=0.3, closeness=1.0, rule=StepRule.LANGEVIN),
    ],
    ids=["closeness", "closeness and noise", "langevin"],
)
def test_neither_batches_nor_neighbours_change_what_is_found(options: BoundaryOptions) -> None:
    network, chain = convolutional(7)
    images = stored(7, 31, side=8, channels=3)
    labels = decided(network, chain, images)
    whole = search_boundary(network, chain, images, labels, options, seed=4)
    assert len(set(whole.steps.tolist())) > 2
    for batch in (1, 7, 30):
        same(search_boundary(network, chain, images, labels, options, seed=4, batch_size=batch), whole)
    parts = [
        search_boundary(network, chain, images[a:b], labels[a:b], options, seed=4, first_place=a)
        for a, b in ((0, 9), (9, 31))
    ]
    same(joined(parts), whole)
    other = search_boundary(network, chain, images, labels, options, seed=5)
    drawn = options.noise > 0 or options.rule is StepRule.LANGEVIN
    assert torch.equal(other.logits, whole.logits) != drawn


def test_standardising_is_the_same_as_a_network_that_does_it_itself() -> None:
    network, _ = convolutional(9)
    images = stored(9, 30, side=8, channels=3)
    outside = Chain((FLOAT, standardise("0.31,0.47,0.62", "0.11,0.23,1.7")))
    mean, std = torch.tensor([0.31, 0.47, 0.62]), torch.tensor([0.11, 0.23, 1.7])

    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: Tensor) -> Tensor:
            found: Tensor = self.network((batch - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1))
            return found

    labels = decided(network, outside, images)
    found = search_boundary(network, outside, images, labels, OPTIONS, seed=1)
    assert found.crossed.any()
    same(search_boundary(Inside(), PLAIN, images, labels, OPTIONS, seed=1), found)


def test_on_the_8_bit_grid_every_radius_is_a_whole_number_of_levels() -> None:
    network, chain = convolutional(11)
    images = stored(11, 30, side=8, channels=3)
    labels = decided(network, chain, images)
    options = replace(OPTIONS, radius=10 * LEVEL, steps=20, reach=4.0, discretise=True)
    found = search_boundary(network, chain, images, labels, options, seed=1)
    levels = found.radius[found.crossed] / LEVEL
    assert len(levels) > 4
    assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert int(levels.round().max()) <= 10
    finer = search_boundary(network, chain, images, labels, replace(options, discretise=False), seed=1)
    assert not torch.allclose(finer.radius / LEVEL, (finer.radius / LEVEL).round(), atol=1e-3, equal_nan=True)


def test_a_very_sure_network_still_shows_the_way() -> None:
    """1 - p rounds to 0 in single precision: the plain cross-entropy would lose the own class's part."""
    network = linear(4, 3)
    images = stored(4, 20, low=60, high=196)
    labels = decided(network, PLAIN, images)
    sure = linear(4, 3)
    with torch.no_grad():
        for weight in sure.parameters():
            weight.mul_(3000)
    options = single_step(0.2)
    found = search_boundary(sure, PLAIN, images, labels, options, seed=1)
    pixels = PLAIN.pixels(images).to(torch.float64).requires_grad_()
    own, others = torch.nn.functional.one_hot(labels, 3).bool(), sure.double()(pixels)
    margin = others.masked_fill(own, -torch.inf).logsumexp(dim=1) - others[own]
    assert float(margin.detach().max()) < -17
    (gradient,) = torch.autograd.grad(margin.sum(), pixels)
    moved = (pixels.detach() + 0.2 * gradient.sign()).clamp(0, 1)
    with torch.no_grad():
        outputs = sure(moved)
    assert_close(found.logits.double(), outputs, rtol=1e-4, atol=0.1)
    assert found.crossed.any()


def test_the_network_is_left_as_it_was() -> None:
    network, chain = convolutional(1)
    network.train()
    next(network.parameters()).requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    labels = torch.zeros(12, dtype=torch.int64)
    search_boundary(network, chain, stored(1, side=8, channels=3), labels, OPTIONS, seed=1)
    assert all(layer.training for layer in network.modules())
    assert [weight.requires_grad for weight in network.parameters()][:2] == [False, True]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    with pytest.raises(ZeroDivisionError), frozen(network):
        _ = 1 / 0
    assert network.training


def test_no_gradient_of_a_weight_is_computed_and_the_callers_mode_does_not_matter() -> None:
    images, network = stored(2), linear(2)
    labels = decided(network, PLAIN, images)
    found = search_boundary(network, PLAIN, images, labels, OPTIONS, seed=1)
    with torch.no_grad():
        same(search_boundary(network, PLAIN, images, labels, OPTIONS, seed=1), found, atol=0)
    assert not found.logits.requires_grad
