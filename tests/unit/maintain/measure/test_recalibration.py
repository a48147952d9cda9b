"""Statistics made anew against the formula written out; weights and the network itself stay as they are."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from maintain.errors import NotEvaluatedError
from maintain.imaging import Chain, load_images, toy_problem, weights_digest
from maintain.measure import recalibrated
from maintain.vocabulary import Role

TOY = toy_problem(roles=((Role.RETAIN, 10),))
SPEC = TOY.spec()


def drifted() -> nn.Module:
    """A network whose statistics are not those of any cases."""
    network = TOY.blueprint.build(seed=3)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.fill_(7.0)  # type: ignore[union-attr]
            layer.num_batches_tracked.fill_(99)  # type: ignore[union-attr]
    return network


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_cases_make_no_statistics(count: int) -> None:
    with pytest.raises(NotEvaluatedError, match=f"from {count} retained"):
        recalibrated(drifted(), SPEC, TOY.rows[:count], TOY.pixels)


def test_a_network_without_such_layers_has_none_to_make_anew() -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
    assert recalibrated(plain, SPEC, TOY.rows, TOY.pixels) is None
    without = nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False), nn.Flatten(), nn.Linear(3 * 16 * 16, 3))
    assert recalibrated(without, SPEC, TOY.rows, TOY.pixels) is None


def test_statistics_are_those_of_the_batches() -> None:
    """By hand for the first layer: the mean over batches of each batch's mean and unbiased variance."""
    network = drifted()
    state = recalibrated(network, SPEC, TOY.rows, TOY.pixels, batch_size=4)
    assert state is not None
    images = Chain(SPEC.preprocessing).apply(load_images(TOY.pixels, [row.pixels for row in TOY.rows]))
    with torch.no_grad():
        parts = [network.get_submodule("conv1")(images[start:end]) for start, end in ((0, 4), (4, 8), (8, 10))]
    means = torch.stack([part.mean((0, 2, 3)) for part in parts]).mean(0)
    spreads = torch.stack([part.transpose(0, 1).flatten(1).var(1) for part in parts]).mean(0)
    assert_close(state["norm1.running_mean"], means, rtol=1e-4, atol=1e-5)
    assert_close(state["norm1.running_var"], spreads, rtol=1e-4, atol=1e-5)
    assert int(state["norm1.num_batches_tracked"]) == 3


def test_only_statistics_change_and_the_network_not_at_all() -> None:
    network = drifted().train()
    network.get_submodule("norm2").eval()
    before = weights_digest(network.state_dict())
    state = recalibrated(network, SPEC, TOY.rows, TOY.pixels)
    assert state is not None
    assert weights_digest(network.state_dict()) == before
    assert network.training
    assert not network.get_submodule("norm2").training
    parameters = dict(network.named_parameters())
    assert all(torch.equal(state[name], tensor) for name, tensor in parameters.items())
    assert set(state) == set(network.state_dict())


def test_the_same_cases_make_the_same_bytes_whatever_the_statistics_were() -> None:
    clean, other = TOY.blueprint.build(seed=3), drifted()
    first, second = (recalibrated(network, SPEC, TOY.rows, TOY.pixels, batch_size=3) for network in (clean, other))
    assert first is not None
    assert second is not None
    assert weights_digest(first) == weights_digest(second)
