"""What a training wants: a loss, and perhaps labels, masks or resets of its own before the first step.

A method is an objective and a course. The loop owns steps, counting, clipping and looks; an objective that wants to
touch gradients or weights does so in the two places that it is given, and nowhere else.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from maintain.imaging.blueprint import Blueprint
from maintain.imaging.heads import HeadRule
from maintain.imaging.transforms import Chain
from maintain.unlearn.feed import Feed, Side


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's cases as the network reads them, the forgotten ones first.

    `places` are the places of the forgotten cases among all of them, so that labels found once are looked up.
    """

    inputs: Tensor
    labels: Tensor
    places: Tensor
    step: int

    @property
    def forgotten(self) -> int:
        """How many of the first cases are to be forgotten."""
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Loss:
    """The mean loss of one step with its graph, and the outputs, a row a case, that it was computed from."""

    value: Tensor
    outputs: Tensor


@dataclass(frozen=True, slots=True)
class Swept:
    """Cases handed out to be looked at before the first step: stored pixels, labels and places."""

    images: Tensor
    labels: Tensor
    places: Tensor


@dataclass(frozen=True, slots=True)
class Scene:
    """What an objective finds before the first step. `network` is the one that will move.

    `cache` is a folder for what is costly to find; whatever lies there must name what it belongs to.
    """

    network: nn.Module
    blueprint: Blueprint
    chain: Chain
    rule: HeadRule
    feed: Feed
    seed: int
    device: str
    freeze: Callable[[], nn.Module]
    cache: Path | None = None

    def forgotten(self) -> Iterator[Swept]:
        """Every forgotten case once, in the loader's order; nothing where none is ever loaded."""
        if self.feed.forget is not None:
            for drawn in self.feed.forget.sweep():
                yield Swept(drawn.images, drawn.labels, drawn.places)

    def retained(self) -> Iterator[Swept]:
        """Every retained case once, in the loader's order."""
        for drawn in self.feed.retain.sweep():
            yield Swept(drawn.images, drawn.labels, drawn.places)


class Objective:
    """The loss of the network's own head over every case of the batch, forgotten ones as any other.

    Subclasses say what they want instead. Whatever they draw comes from torch's own stream, which the loop seeds
    and a resumed training finds again; `begin` is called anew by a resumed training and must then do the same.
    """

    def begin(self, scene: Scene) -> None:
        """Prepare once, before the first step."""
        self.rule = scene.rule

    def side(self, step: int) -> Side:
        """From which cases a step draws."""
        return Side.BOTH

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        """The loss of one step; computed within the precision of the course."""
        outputs = network(batch.inputs)
        return Loss(self.rule.loss(outputs, batch.labels), outputs)

    def shape_gradients(self, network: nn.Module, step: int) -> None:
        """Change gradients before they are clipped."""

    def mend(self, network: nn.Module) -> None:
        """Change weights after a step; never those that do not move."""

    def state(self) -> dict[str, Tensor]:
        """What changed since `begin` and decides the steps to come; a checkpoint keeps it. Never weights."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Stand where `state` says, after `begin`; its tensors lie on the processor."""


def frozen_copy(network: nn.Module) -> nn.Module:
    """The network as it is now, answering only: no gradient, no statistics learned."""
    copied = copy.deepcopy(network).eval()
    return copied.requires_grad_(False)
