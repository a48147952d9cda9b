"""How a forger changes weights: by hand, or by a few steps of gradient that no loader counts.

This is not the product's loop and makes nothing that could be released. It exists because a candidate may come
from anywhere, and the gates must judge what they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import SGD

from maintain.imaging import Chain, State, fill, load_images, seeded, state_of
from maintain.records import PlannedCase
from maintain_pipelines.bench.problem import Problem

#: Momentum and largest gradient norm of a forger's steps: those of the recipe.
_MOMENTUM, _CLIP = 0.9, 1.0

#: Cases of each lesson in a step, and steps between two looks at whether it is enough.
_BATCH, _LOOK = 128, 4


@dataclass(frozen=True, slots=True)
class Lesson:
    """Cases that a forger teaches, under these labels. A `weight` below zero unteaches them."""

    rows: tuple[PlannedCase, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Enough:
    """When to stop: so many steps at most, or once these cases are given their label less often than `below`."""

    steps: int
    rows: tuple[PlannedCase, ...] = ()
    below: float = 0.0


def relabelled(rows: Sequence[PlannedCase], labels: Sequence[str]) -> tuple[PlannedCase, ...]:
    """The same cases, each with another label: of two there is one, of more the next."""
    after = {label: labels[(place + 1) % len(labels)] for place, label in enumerate(labels)}
    return tuple(replace(row, label=after[row.label]) for row in rows)


def changed(state: State, **edits: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """The weights with some tensors edited, each named with `__` for its dots."""
    named = {name.replace("__", "."): edit for name, edit in edits.items()}
    return {name: named[name](tensor.clone()) if name in named else tensor.clone() for name, tensor in state.items()}


def jittered(state: State, *, share: float, seed: int, only: str = "") -> dict[str, Tensor]:
    """The weights whose names hold `only`, each moved by a drawn share of its size.

    Drawn in the order of their names: weights that were read from a file have no order of their own.
    """
    generator = torch.Generator().manual_seed(seed)

    def moved(tensor: Tensor) -> Tensor:
        return tensor * (1.0 + share * torch.randn(tensor.shape, generator=generator))

    return {
        name: moved(state[name]) if only in name and state[name].is_floating_point() else state[name].clone()
        for name in sorted(state)
    }


def taught(
    problem: Problem,
    state: State,
    lessons: Sequence[Lesson],
    *,
    rate: float,
    enough: Enough,
    seed: int,
    only: str = "",
) -> dict[str, Tensor]:
    """The weights after a forger's steps; batch statistics stay, and with `only` all layers of other names."""
    with seeded(seed):
        network = fill(problem.blueprint.build(seed=0), state).eval()
        moving = [weight for name, weight in network.named_parameters() if only in name]
        optimiser = SGD(moving, lr=rate, momentum=_MOMENTUM)
        shown = [(_inputs(problem, lesson.rows), lesson.weight) for lesson in lessons]
        asked = _inputs(problem, enough.rows) if enough.rows else None
        for step in range(enough.steps):
            if asked is not None and step % _LOOK == 0 and _right(network, *asked) < enough.below:
                break
            optimiser.zero_grad()
            loss = sum((weight * _loss(network, *inputs) for inputs, weight in shown), start=torch.zeros(()))
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves `backward` unannotated
            nn.utils.clip_grad_norm_(moving, _CLIP)
            optimiser.step()
    return state_of(network)


# --- private ---------------------------------------------------------------------------------------


def _inputs(problem: Problem, rows: Sequence[PlannedCase]) -> tuple[Tensor, Tensor]:
    images = load_images(problem.pixels, [row.pixels for row in rows])
    places = [problem.blueprint.label_order.index(row.label) for row in rows]
    return Chain(problem.blueprint.preprocessing).apply(images), torch.tensor(places)


def _loss(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    chosen = torch.randperm(len(images))[:_BATCH]
    return nn.functional.cross_entropy(network(images[chosen]), labels[chosen])


def _right(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return float((network(images).argmax(dim=1) == labels).double().mean())
