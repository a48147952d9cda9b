"""Asking a network without changing it: evaluation mode, no gradients, and the batches of every question.

What could make an answer depend on chance or on its neighbours in the batch is switched off here, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from maintain.errors import NotEvaluatedError
from maintain.imaging.batches import batch_bounds
from maintain.imaging.blueprint import blueprint_of
from maintain.imaging.compute import deterministic
from maintain.imaging.heads import head_rule
from maintain.imaging.pixels import PixelSource, load_images
from maintain.imaging.transforms import Chain
from maintain.records import ModelSpec, PlannedCase

#: Cases asked at a time; memory is then bounded whatever the cohort, and larger gains nothing on two cores.
MEASURE_BATCH = 256


@contextmanager
def asked(network: nn.Module, device: str) -> Iterator[None]:
    """In evaluation mode on the device, and afterwards every layer in the mode it was in."""
    modes = [(layer, layer.training) for layer in network.modules()]
    network.to(device).eval()
    try:
        with deterministic(device), torch.inference_mode():
            yield
    finally:
        for layer, training in modes:
            layer.training = training


def inputs(
    spec: ModelSpec, cases: Sequence[PlannedCase], pixels: PixelSource, *, batch_size: int, device: str
) -> Iterator[tuple[Sequence[PlannedCase], Tensor]]:
    """The cases in batches, in the order given, with what the network of this spec reads of them."""
    blueprint, chain = blueprint_of(spec), Chain(spec.preprocessing)
    head_rule(spec.head)
    for start, end in batch_bounds(len(cases), batch_size) if cases else ():
        part = cases[start:end]
        images = load_images(pixels, [case.pixels for case in part]).to(device)
        chain.check(images, blueprint.input_shape)
        yield part, chain.apply(images)


def finite(outputs: Tensor) -> Tensor:
    """What a network said, in double precision on the processor. Raises `NotEvaluatedError` for NaN or infinity."""
    found = outputs.to("cpu", torch.float64)
    if not bool(torch.isfinite(found).all()):
        raise NotEvaluatedError(
            "The network's outputs are not finite numbers, so nothing can be measured.",
            remedy="Check the weights with `all_finite`; weights with NaN or infinities fail `integrity`.",
        )
    return found
