"""Outputs of a network, case by case: the raw material of every gate.

Gates never see a network; they see these rows, so everything that could make an answer depend on
chance or on its neighbours in the batch (training mode, batch statistics) is switched off here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from maintain.errors import NotEvaluatedError
from maintain.hashing import Digest
from maintain.imaging.batches import batch_bounds
from maintain.imaging.blueprint import Blueprint, blueprint_of
from maintain.imaging.compute import deterministic
from maintain.imaging.heads import head_rule
from maintain.imaging.pixels import PixelSource, load_images
from maintain.imaging.transforms import Chain
from maintain.records import Measurement, ModelSpec, PlannedCase

#: Cases asked at a time; memory is then bounded whatever the cohort, and larger gains nothing on two cores.
MEASURE_BATCH = 256

#: The place written for a label that the model does not know; it equals no decision, and its mask is False.
_NO_PLACE = -1


def measure(
    network: nn.Module,
    spec: ModelSpec,
    cases: Sequence[PlannedCase],
    pixels: PixelSource,
    *,
    weights: Digest,
    batch_size: int = MEASURE_BATCH,
    device: str = "cpu",
) -> tuple[Measurement, ...]:
    """One row a case, in the order given; `weights` is the digest under which the answers are filed.

    Raises:
        NotEvaluatedError: An output is not a finite number. Look at `all_finite` of the weights first.
    """
    blueprint = blueprint_of(spec)
    head_rule(spec.head)
    rows: list[Measurement] = []
    with _asked(network, device), deterministic(device), torch.inference_mode():
        for start, end in batch_bounds(len(cases), batch_size) if cases else ():
            part = cases[start:end]
            images = load_images(pixels, [case.pixels for case in part]).to(device)
            outputs = _outputs(network, Chain(spec.preprocessing), images, blueprint)
            rows.extend(
                _row(case, answer, blueprint, weights) for case, answer in zip(part, outputs.tolist(), strict=True)
            )
    return tuple(rows)


# --- private ---------------------------------------------------------------------------------------


@contextmanager
def _asked(network: nn.Module, device: str) -> Iterator[None]:
    """In evaluation mode on the device, and afterwards every layer in the mode it was in."""
    modes = [(layer, layer.training) for layer in network.modules()]
    network.to(device).eval()
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


def _outputs(network: nn.Module, chain: Chain, images: Tensor, blueprint: Blueprint) -> Tensor:
    chain.check(images, blueprint.input_shape)
    outputs: Tensor = network(chain.apply(images)).to("cpu", torch.float64)
    if not bool(torch.isfinite(outputs).all()):
        raise NotEvaluatedError(
            "The network's outputs are not finite numbers, so nothing can be measured.",
            remedy="Check the weights with `all_finite`; weights with NaN or infinities fail `integrity`.",
        )
    return outputs


def _row(case: PlannedCase, answer: list[float], blueprint: Blueprint, weights: Digest) -> Measurement:
    place = blueprint.label_index(case.label)
    return Measurement(
        weights=weights,
        case_id=case.case_id,
        role=case.role,
        patient=case.patient,
        label=(_NO_PLACE if place is None else place,),
        label_mask=(place is not None,),
        logits=tuple(answer),
    )
