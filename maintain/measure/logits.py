"""Outputs of a network, case by case: the raw material of every gate.

Gates never see a network; they see these rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from maintain.hashing import Digest
from maintain.imaging.blueprint import Blueprint, blueprint_of
from maintain.imaging.heads import head_rule
from maintain.imaging.pixels import PixelSource
from maintain.measure.asking import MEASURE_BATCH, asked, finite, inputs
from maintain.records import Measurement, ModelSpec, PlannedCase

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
    with asked(network, device):
        for part, batch in inputs(spec, cases, pixels, batch_size=batch_size, device=device):
            answers = finite(network(batch)).tolist()
            rows.extend(_row(case, answer, blueprint, weights) for case, answer in zip(part, answers, strict=True))
    return tuple(rows)


# --- private ---------------------------------------------------------------------------------------


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
