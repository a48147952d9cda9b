"""Batch statistics made anew: what a network answers when its normalisation has seen retained cases only.

Running means and variances are learned from every batch without a gradient. A model can hide what it knows,
or seem to have forgotten, by their drift alone; made anew on the same cases they can tell nothing any more.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from maintain.errors import NotEvaluatedError
from maintain.imaging.compute import deterministic
from maintain.imaging.pixels import PixelSource
from maintain.imaging.weights import State, state_of
from maintain.measure.asking import MEASURE_BATCH, inputs
from maintain.records import ModelSpec, PlannedCase

#: One case has no spread, so a layer that normalises a vector could not learn from it.
_FEWEST_CASES = 2


def recalibrated(
    network: nn.Module,
    spec: ModelSpec,
    cases: Sequence[PlannedCase],
    pixels: PixelSource,
    *,
    batch_size: int = MEASURE_BATCH,
    device: str = "cpu",
) -> State | None:
    """The weights with the statistics of these cases, or None where no layer keeps any.

    Every batch counts alike, in the order given; the network itself is left as it was.
    Raises `NotEvaluatedError` for fewer than two cases.
    """
    if not any(map(_keeps_statistics, network.modules())):
        return None
    if len(cases) < _FEWEST_CASES:
        raise NotEvaluatedError(
            f"Batch statistics cannot be made anew from {len(cases)} retained cases.",
            remedy="Choose a gate set without `bn-recalibration`, or retain more cases.",
        )
    copied = copy.deepcopy(network).to(device)
    with deterministic(device):
        recalibrate(copied, (batch for _, batch in inputs(spec, cases, pixels, batch_size=batch_size, device=device)))
    return state_of(copied)


def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Make the statistics anew in place, every batch counting alike; the network is left in evaluation mode."""
    network.eval()
    kept = [(layer, layer.momentum) for layer in network.modules() if _keeps_statistics(layer)]
    for layer, _ in kept:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for layer, momentum in kept:
        layer.momentum = momentum
        layer.eval()


# --- private ---------------------------------------------------------------------------------------


def _keeps_statistics(layer: nn.Module) -> TypeGuard[_BatchNorm]:
    return isinstance(layer, _BatchNorm) and layer.track_running_stats
