"""The inner search as the method's reference code does it, mistakes included: for comparison only.

Written from a description of its behaviour (psg.md §1.4a, §4.3), to show what the mistakes do: the pixels
are undone with another data set's constants, one of them mistyped (B3); the closeness term is the difference
between two units of the same image, not a distance (B1); the gradient is a mean over the batch (B6); and a
case that does not cross keeps its own label (B4). Never used unless a request says `replicate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from maintain.errors import InputError
from maintain.imaging.transforms import Chain
from maintain.unlearn.boundary.labels import Boundary
from maintain.unlearn.boundary.noise import normals
from maintain.unlearn.boundary.steps import finite, finite_outputs, on_grid

if TYPE_CHECKING:
    from maintain.unlearn.boundary.options import BoundaryOptions

#: CIFAR-10's channel means as the reference has them; the blue one is .4465 in truth (B3).
MEANS = (0.4914, 0.4822, 0.2265)
#: CIFAR-10's channel spreads as the reference has them.
SPREADS = (0.2023, 0.1994, 0.2010)
#: Cases a batch where the reference trains its small network; its gradients are divided by it.
REFERENCE_BATCH = 64


def reference_boundary(
    network: nn.Module,
    chain: Chain,
    images: Tensor,
    labels: Tensor,
    places: Tensor,
    options: BoundaryOptions,
    *,
    seed: int,
) -> Boundary:
    """One signed step in the reference's units; labels may be the own ones, radii are in those units too.

    Raises:
        InputError: The images have neither one channel nor three.
    """
    read = chain.apply(images).requires_grad_()
    means, spreads = (_per_channel(numbers, read) for numbers in (MEANS, SPREADS))
    undone = read.detach() * spreads + means
    (gradient,) = torch.autograd.grad(functional.cross_entropy(finite_outputs(network(read)), labels), read)
    inside = finite(gradient, "gradients") + options.closeness * (read.detach() - undone)
    if options.noise:
        inside = inside + options.noise * normals(seed, places, 1, read.shape[1:])
    moved = on_grid((undone + options.radius * torch.sign(inside)).clamp(0.0, 1.0))
    with torch.no_grad():
        outputs = finite_outputs(network((moved - means) / spreads))
    found = outputs.argmax(dim=1)
    crossed = found != labels
    change = (moved - undone).abs().flatten(1).amax(dim=1)
    return Boundary(
        truth=labels,
        labels=found,
        crossed=crossed,
        radius=torch.where(crossed, change, torch.nan),
        logits=outputs,
        steps=torch.ones_like(labels),
    )


# --- private ---------------------------------------------------------------------------------------


def _per_channel(numbers: tuple[float, ...], batch: Tensor) -> Tensor:
    channels = batch.shape[1]
    if channels not in (1, len(numbers)):
        raise InputError(
            f"The reference's constants are for images of 1 or 3 channels, not of {channels}.",
            remedy="Search without `replicate`.",
        )
    return torch.tensor(numbers[:channels], dtype=batch.dtype, device=batch.device).reshape(1, -1, 1, 1)
