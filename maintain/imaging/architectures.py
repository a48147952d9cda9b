"""The networks themselves: torch modules from an input shape, a number of outputs and checked options.

Layers have names, because a method that resets or freezes "everything after the second
convolution" says so by name; which names make a stage is written beside each network in the table.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from torch import nn

from maintain.records import Scalar

#: Channels and kernel side of the three strided convolutions (feasibility study: 90k weights at 3x32x32).
_SMALL_STAGES = ((16, 5), (32, 3), (64, 3))
#: Width of the one hidden layer of the small network.
_SMALL_HIDDEN = 64
#: Channels, kernel side and stride of the eight convolutions: All-CNN-C (Springenberg et al., ICLR Workshop 2015)
#: as Golatkar et al. (CVPR 2020) and Boundary Unlearning build it: the third wider, the last made a linear head.
_ALL_CNN_STAGES = (
    (96, 3, 1),
    (96, 3, 1),
    (192, 3, 2),
    (192, 3, 1),
    (192, 3, 1),
    (192, 3, 2),
    (192, 3, 1),
    (192, 1, 1),
)
#: By how much each word of the option `width` divides the channels.
_WIDTH_DIVISORS = {"full": 1, "half": 2}


def small_bn(input_shape: tuple[int, ...], outputs: int, options: Mapping[str, Scalar]) -> nn.Module:
    """Strided convolutions with batch normalisation, flattened into one hidden layer and a linear head."""
    channels, *sides = input_shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (width, kernel) in enumerate(_SMALL_STAGES, start=1):
        layers[f"conv{number}"] = nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2)
        layers[f"norm{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        channels = width
        sides = [math.ceil(side / 2) for side in sides]
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels * math.prod(sides), _SMALL_HIDDEN)
    layers["relu"] = nn.ReLU()
    layers["head"] = nn.Linear(_SMALL_HIDDEN, outputs)
    return nn.Sequential(layers)


def all_cnn(input_shape: tuple[int, ...], outputs: int, options: Mapping[str, Scalar]) -> nn.Module:
    """Eight convolutions, each normalised; no bias before a norm, which would only take it away again."""
    divisor = _WIDTH_DIVISORS[str(options["width"])]
    channels = input_shape[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (full, kernel, stride) in enumerate(_ALL_CNN_STAGES, start=1):
        width = full // divisor
        layers[f"conv{number}"] = nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False)
        layers[f"norm{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        channels = width
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["head"] = nn.Linear(channels, outputs)
    return nn.Sequential(layers)


def resnet18(input_shape: tuple[int, ...], outputs: int, options: Mapping[str, Scalar]) -> nn.Module:
    """MONAI's two-dimensional ResNet-18; its first convolution does not stride, so small images fit."""
    with _monai():
        from monai.networks.nets.resnet import resnet18 as build

        network = build(spatial_dims=2, n_input_channels=input_shape[0], num_classes=outputs)
    return cast(nn.Module, network)


def resnet50(input_shape: tuple[int, ...], outputs: int, options: Mapping[str, Scalar]) -> nn.Module:
    """MONAI's two-dimensional ResNet-50; its first convolution does not stride, so small images fit."""
    with _monai():
        from monai.networks.nets.resnet import resnet50 as build

        network = build(spatial_dims=2, n_input_channels=input_shape[0], num_classes=outputs)
    return cast(nn.Module, network)


def densenet121(input_shape: tuple[int, ...], outputs: int, options: Mapping[str, Scalar]) -> nn.Module:
    """MONAI's two-dimensional DenseNet-121."""
    with _monai():
        from monai.networks.nets.densenet import DenseNet121

        network = DenseNet121(spatial_dims=2, in_channels=input_shape[0], out_channels=outputs)
    return cast(nn.Module, network)


# --- private ---------------------------------------------------------------------------------------


@contextmanager
def _monai() -> Iterator[None]:
    """MONAI is slow to import and replaces `warnings.showwarning`: imported late, and that undone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
