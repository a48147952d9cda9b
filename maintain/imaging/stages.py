"""The stages of a network from input to head: what "the last two", `late` and `head` mean, for every network.

A method that resets or moves part of a network says how deep, never which tensors: a convolution goes
with its normalisation and with the running statistics of that, or the part would not be itself again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from maintain.errors import InputError
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.networks import NetworkEntry, network_entry
from maintain.records import Network

if TYPE_CHECKING:
    from torch import nn

#: `late` is this share of the stages, rounded up, counted from the head.
LATE_SHARE = 1 / 3


class Layers(StrEnum):
    """Which stages of a network a method moves."""

    ALL = "all"
    """Every stage."""
    LATE = "late"
    """The last third of the stages, rounded up; the head is one of them."""
    HEAD = "head"
    """The last stage alone."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the names of its parameters and of its buffers, as `named_parameters` gives them."""

    name: str
    parameters: tuple[str, ...]
    buffers: tuple[str, ...]


def stages_of(network: Network, module: nn.Module) -> tuple[Stage, ...]:
    """Every stage from the input to the head. Raises `InputError` for a module of another network."""
    entry = network_entry(network.name)
    parameters = _sorted_in(entry, [name for name, _ in module.named_parameters()])
    buffers = _sorted_in(entry, [name for name, _ in module.named_buffers()])
    stages = tuple(Stage(name, parameters[name], buffers[name]) for name, _ in entry.stages)
    hollow = [stage.name for stage in stages if not stage.parameters]
    if hollow:
        raise _another(entry, f"nothing of {hollow[0]}")
    return stages


def last_stages(network: Network, module: nn.Module, depth: int) -> tuple[Stage, ...]:
    """The last `depth` stages, the head included. Raises `InputError` for more than there are, or none."""
    stages = stages_of(network, module)
    if not 1 <= depth <= len(stages):
        raise InputError(
            f"The network {network.name!r} has no last {depth} stages.",
            remedy=f"Choose from 1 to {len(stages)}: {', '.join(stage.name for stage in stages)}.",
        )
    return stages[-depth:]


def depth_of(network: Network, layers: Layers) -> int:
    """How many stages these layers are, counted from the head."""
    count = len(network_entry(network.name).stages)
    return {Layers.ALL: count, Layers.LATE: math.ceil(count * LATE_SHARE), Layers.HEAD: 1}[layers]


def moving(network: Network, module: nn.Module, layers: Layers) -> tuple[str, ...]:
    """The names of the parameters that move, in the module's own order."""
    stages = last_stages(network, module, depth_of(network, layers))
    chosen = {name for stage in stages for name in stage.parameters}
    return tuple(name for name, _ in module.named_parameters() if name in chosen)


def reset_stages(blueprint: Blueprint, module: nn.Module, *, depth: int, seed: int) -> tuple[str, ...]:
    """Put the last `depth` stages back to what `blueprint.build(seed)` begins with; the names that changed.

    Parameters and running statistics are written in place, so an optimiser made before keeps its hold on
    them, and its momentum, which is of the weights that are gone: make the optimiser afterwards.
    """
    stages = last_stages(blueprint.network, module, depth)
    names = tuple(name for stage in stages for name in (*stage.parameters, *stage.buffers))
    fresh, own = blueprint.build(seed).state_dict(), module.state_dict()
    for name in names:
        own[name].copy_(fresh[name])
    return names


# --- private ---------------------------------------------------------------------------------------


def _sorted_in(entry: NetworkEntry, names: list[str]) -> dict[str, tuple[str, ...]]:
    """The names by stage, each in the one stage that it lies below."""
    found: dict[str, list[str]] = {stage: [] for stage, _ in entry.stages}
    for name in names:
        homes = [stage for stage, modules in entry.stages if any(name.startswith(f"{part}.") for part in modules)]
        if len(homes) != 1:
            raise _another(entry, f"{name}, which lies in {len(homes)} of its stages")
        found[homes[0]].append(name)
    return {stage: tuple(listed) for stage, listed in found.items()}


def _another(entry: NetworkEntry, what: str) -> InputError:
    return InputError(
        f"The stages of the network {entry.name!r} do not fit this module: it has {what}.",
        remedy="Give the module that was built for this network.",
    )
