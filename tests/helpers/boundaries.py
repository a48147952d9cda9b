"""Small networks and images on which a boundary can be found by hand."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from maintain.imaging import Blueprint, Chain, default_chain
from maintain.records import Network, Scalar, Setting, Step
from maintain.unlearn.boundary.labels import Boundary
from maintain.vocabulary import Head

FLOAT = Step("to-float", 1)
PLAIN = Chain((FLOAT,))


def standardise(mean: Scalar, std: Scalar) -> Step:
    return Step("standardise", 1, (Setting("mean", mean), Setting("std", std)))


def stored(seed: int, count: int = 12, *, side: int = 4, channels: int = 1, low: int = 0, high: int = 256) -> Tensor:
    """So many stored images of noise."""
    shape = (count, side, side, channels)
    return torch.from_numpy(np.random.default_rng(seed).integers(low, high, shape, dtype=np.uint8))


def linear(seed: int, classes: int = 2, *, pixels: int = 16) -> nn.Module:
    """A linear network that sees centred pixels: its boundaries are planes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer = nn.Linear(pixels, classes)
        with torch.no_grad():
            layer.bias.sub_(layer.weight.sum(dim=1) / 2)
    return nn.Sequential(nn.Flatten(), layer)


def convolutional(seed: int, classes: int = 3, *, side: int = 8) -> tuple[nn.Module, Chain]:
    """An untrained small network, its classes made alike on noise, and its default chain."""
    labels = tuple(f"label-{number}" for number in range(classes))
    blueprint = Blueprint(Network("small-bn"), (3, side, side), Head.SOFTMAX, labels, default_chain(side))
    network, chain = blueprint.build(seed), Chain(blueprint.preprocessing)
    head = network.get_submodule("head")
    with torch.no_grad():
        outputs = network.eval()(chain.apply(stored(seed, 200, side=side, channels=3)))
        head.get_parameter("bias").sub_(outputs.mean(dim=0))
        for weights in head.parameters():
            weights.div_(outputs.std())
    return network, chain


@torch.no_grad()
def decided(network: nn.Module, chain: Chain, images: Tensor) -> Tensor:
    """What the network answers, so that every search begins on the right side."""
    found: Tensor = network.eval()(chain.apply(images)).argmax(dim=1)
    return found


def some_boundary() -> Boundary:
    """Two cases that crossed, one that was never right, one that did not cross."""
    return Boundary(
        truth=torch.tensor([0, 1, 2, 0]),
        labels=torch.tensor([1, 2, 0, 2]),
        crossed=torch.tensor([True, True, True, False]),
        radius=torch.tensor([0.03, 0.05, 0.0, float("nan")]),
        logits=torch.tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 1.5], [3.0, 0.0, 1.0], [5.0, 1.0, 2.0]]),
        steps=torch.tensor([1, 4, 0, 10]),
    )
