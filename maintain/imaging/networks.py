"""Every network that a model may be made of, as a table that is read without torch.

A model is stored as a name and its weights, never as code: what may be built is exactly this table.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from maintain.errors import InputError, UnknownNameError
from maintain.records import Network
from maintain.vocabulary import Head

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """One network: what it is, how its outputs may be read, and where it is built (`module:function`)."""

    name: str
    doc: str
    heads: tuple[Head, ...]
    build: str
    smallest_side: int


_ENTRIES = (
    NetworkEntry(
        name="small-bn",
        doc="Three strided convolutions (16, 32, 64 channels), batch normalisation, a hidden layer of 64: "
        "about 90,000 weights at 3x32x32. Trains in seconds on two cores; for the demo, tests and benches.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:small_bn",
        smallest_side=8,
    ),
    NetworkEntry(
        name="densenet121",
        doc="MONAI's two-dimensional DenseNet-121 (Huang et al., CVPR 2017): the usual classifier of fundus "
        "and chest images.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:densenet121",
        smallest_side=32,
    ),
)

NETWORKS: Mapping[str, NetworkEntry] = {entry.name: entry for entry in _ENTRIES}


def network_entry(name: str) -> NetworkEntry:
    """The row of that name. Raises `UnknownNameError` with the known ones."""
    if name not in NETWORKS:
        raise UnknownNameError("network", name, NETWORKS)
    return NETWORKS[name]


def check_network(network: Network, *, input_shape: tuple[int, ...], head: Head) -> NetworkEntry:
    """The row of a network that can be built for this input and head; refused before any time is spent.

    Raises:
        InputError: The name, an option, the shape (channels, height, width) or the head does not fit.
    """
    entry = network_entry(network.name)
    if network.options:
        given = ", ".join(setting.name for setting in network.options)
        raise InputError(f"The network {entry.name!r} has no option {given}.", remedy="Leave its options out.")
    if len(input_shape) != 3 or input_shape[0] < 1 or min(input_shape[1:]) < entry.smallest_side:
        raise InputError(
            f"The network {entry.name!r} cannot take an input of shape {input_shape}.",
            remedy=f"Give (channels, height, width) with sides of at least {entry.smallest_side} pixels.",
        )
    if head not in entry.heads:
        raise InputError(
            f"The network {entry.name!r} does not support the head {head.value!r}.",
            remedy=f"It supports: {', '.join(supported.value for supported in entry.heads)}.",
        )
    return entry


def build_network(
    network: Network, *, input_shape: tuple[int, ...], outputs: int, seed: int, head: Head = Head.SOFTMAX
) -> nn.Module:
    """A new network with weights drawn from `seed`: equal seeds, equal bytes; no other draw is disturbed."""
    from maintain.imaging.compute import seeded

    entry = check_network(network, input_shape=input_shape, head=head)
    if outputs < 1:
        raise InputError(f"A network cannot have {outputs} outputs.", remedy="Name at least one label.")
    module, _, function = entry.build.partition(":")
    build = cast("Callable[[tuple[int, ...], int], nn.Module]", getattr(importlib.import_module(module), function))
    with seeded(seed):
        return build(input_shape, outputs)
