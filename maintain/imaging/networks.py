"""Every network that a model may be made of, as a table that is read without torch.

A model is stored as a name, options and its weights, never as code: what may be built is exactly this table.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from maintain.errors import InputError, UnknownNameError
from maintain.options import Option, fill_in, read_settings
from maintain.records import Network, Scalar
from maintain.vocabulary import Head

if TYPE_CHECKING:
    from torch import nn

#: The name of a stage, and the modules that it is made of.
StagePlan: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEntry:
    """One network: what it is, how its outputs may be read, and where it is built (`module:function`).

    `stages` run from the input to the head; every parameter and buffer lies below one module of one stage.
    """

    name: str
    doc: str
    heads: tuple[Head, ...]
    build: str
    smallest_side: int
    stages: tuple[StagePlan, ...]
    options: tuple[Option, ...] = ()


def network_entry(name: str) -> NetworkEntry:
    """The row of that name. Raises `UnknownNameError` with the known ones."""
    if name not in NETWORKS:
        raise UnknownNameError("network", name, NETWORKS)
    return NETWORKS[name]


def network_of(name: str, words: Iterable[str] = ()) -> Network:
    """A network with every option of its row, those said in `NAME=VALUE` words and its defaults.

    Raises:
        InputError: An option is unknown, given twice, or cannot have that value.
        UnknownNameError: There is no such network.
    """
    entry = network_entry(name)
    return Network(name, read_settings(_called(entry), entry.options, words))


def check_network(network: Network, *, input_shape: tuple[int, ...], head: Head) -> NetworkEntry:
    """The row of a network that can be built for this input and head; refused before any time is spent.

    Raises:
        InputError: The name, an option, the shape (channels, height, width) or the head does not fit.
    """
    entry = network_entry(network.name)
    _options(entry, network)
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
    build = cast(
        "Callable[[tuple[int, ...], int, Mapping[str, Scalar]], nn.Module]",
        getattr(importlib.import_module(module), function),
    )
    with seeded(seed):
        return build(input_shape, outputs, _options(entry, network))


# --- private ---------------------------------------------------------------------------------------


def _options(entry: NetworkEntry, network: Network) -> dict[str, Scalar]:
    filled = fill_in(_called(entry), entry.options, network.options)
    return {setting.name: setting.value for setting in filled}


def _called(entry: NetworkEntry) -> str:
    return f"the network {entry.name!r}"


def _convolution(number: int) -> StagePlan:
    return f"conv{number}", (f"conv{number}", f"norm{number}")


def _residual(*blocks: int) -> tuple[StagePlan, ...]:
    """The stem, every residual block as a stage of its own, and the head."""
    names = [f"layer{layer}.{block}" for layer, count in enumerate(blocks, start=1) for block in range(count)]
    return ("stem", ("conv1", "bn1")), *((name, (name,)) for name in names), ("head", ("fc",))


_ENTRIES = (
    NetworkEntry(
        name="small-bn",
        doc="Three strided convolutions (16, 32, 64 channels), batch normalisation, a hidden layer of 64: "
        "about 90,000 weights at 3x32x32. Trains in seconds on two cores; for the demo, tests and benches.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:small_bn",
        smallest_side=8,
        stages=(*(_convolution(number) for number in (1, 2, 3)), ("fc", ("fc",)), ("head", ("head",))),
    ),
    NetworkEntry(
        name="all-cnn",
        doc="Eight convolutions (96, 96, then 192 channels, two of them strided), batch normalisation, global "
        "average pooling and a linear head: 1.6 million weights. After Springenberg et al. (ICLR Workshop 2015), "
        "with the channels that papers on unlearning report on; for the benches on small public images.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:all_cnn",
        smallest_side=8,
        stages=(*(_convolution(number) for number in range(1, 9)), ("head", ("head",))),
        options=(
            Option(
                name="width",
                kind="string",
                default="full",
                choices=("full", "half"),
                doc="Channels of every convolution: all of them, or half (a quarter of the weights).",
            ),
        ),
    ),
    NetworkEntry(
        name="resnet18",
        doc="MONAI's two-dimensional ResNet-18 (He et al., CVPR 2016), untrained: 11 million weights.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:resnet18",
        smallest_side=16,
        stages=_residual(2, 2, 2, 2),
    ),
    NetworkEntry(
        name="resnet50",
        doc="MONAI's two-dimensional ResNet-50 (He et al., CVPR 2016), untrained: 24 million weights.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:resnet50",
        smallest_side=16,
        stages=_residual(3, 4, 6, 3),
    ),
    NetworkEntry(
        name="densenet121",
        doc="MONAI's two-dimensional DenseNet-121 (Huang et al., CVPR 2017): the usual classifier of fundus "
        "and chest images.",
        heads=(Head.SOFTMAX,),
        build="maintain.imaging.architectures:densenet121",
        smallest_side=32,
        stages=(
            ("stem", ("features.conv0", "features.norm0")),
            *(
                (f"denseblock{block}", (f"features.denseblock{block}", f"features.transition{block}"))
                for block in (1, 2, 3)
            ),
            ("denseblock4", ("features.denseblock4", "features.norm5")),
            ("head", ("class_layers.out",)),
        ),
    ),
)

NETWORKS: Mapping[str, NetworkEntry] = {entry.name: entry for entry in _ENTRIES}
