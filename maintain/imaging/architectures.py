"""The networks themselves: torch modules from an input shape and a number of outputs.

Layers have names, because a method that resets or freezes "everything after the second
convolution" says so by name.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from typing import cast

from torch import nn

#: Channels and kernel side of the three strided convolutions (feasibility study: 90k weights at 3x32x32).
_SMALL_STAGES = ((16, 5), (32, 3), (64, 3))
#: Width of the one hidden layer of the small network.
_SMALL_HIDDEN = 64


def small_bn(input_shape: tuple[int, ...], outputs: int) -> nn.Module:
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


def densenet121(input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    """MONAI's DenseNet-121. MONAI is slow to import and replaces `warnings.showwarning`: late, and undone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.networks.nets.densenet import DenseNet121

        network = DenseNet121(spatial_dims=2, in_channels=input_shape[0], out_channels=outputs)
    return cast(nn.Module, network)
