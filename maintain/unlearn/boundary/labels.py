"""What a boundary search found, and what a forget case is then taught instead of its own label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from maintain.errors import InputError
from maintain.unlearn.boundary.options import TargetKind


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """What was found for each case, in the order of the cases.

    `labels` are never those of `truth`, except in a search that replicates the reference. Where a case did
    not cross within the radius, its label is the best other class at its last point, and its `radius` is NaN.
    """

    truth: Tensor
    """The label it was searched from, int64 [N]."""
    labels: Tensor
    """The other label, int64 [N]."""
    crossed: Tensor
    """Whether the network changed its mind within the radius, bool [N]."""
    radius: Tensor
    """Largest change of a pixel at the crossing, in [0, 1]; 0 where the network was never right; [N]."""
    logits: Tensor
    """Outputs at the crossing, or at the last point, [N, C]."""
    steps: Tensor
    """Steps taken until the crossing, or all of them, int64 [N]."""

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def uncrossed(self) -> int:
        """How many cases kept their answer in the whole search, and were given the best other class."""
        return int((~self.crossed).sum())

    def to(self, device: str) -> Boundary:
        """The same on a device."""
        return Boundary(*(getattr(self, field.name).to(device) for field in fields(self)))


def joined(parts: Sequence[Boundary]) -> Boundary:
    """The boundaries of consecutive parts as one."""
    if not parts:
        raise InputError("No boundaries can be joined to one.", remedy="Search at least one case.")
    return Boundary(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Boundary)))


def targets_of(boundary: Boundary, kind: TargetKind, *, temperature: float = 1.0) -> Tensor:
    """Probabilities [N, C] to learn by cross-entropy in place of the own label, detached, one row a case.

    `hard`: all on the other label. `masked-softmax`: softmax of the outputs at the boundary over `temperature`
    without the own label. `logits`: the same with the own label, but for cases that did not cross, which would
    be taught their own label again. Every row sums to one, so the loss is bounded below by its entropy.

    Raises:
        InputError: The temperature is not above zero.
    """
    if not 0 < temperature < float("inf"):
        raise InputError(f"A temperature cannot be {temperature}.", remedy="Choose one above zero; 1 changes nothing.")
    if kind is TargetKind.HARD:
        return functional.one_hot(boundary.labels, boundary.logits.shape[1]).to(boundary.logits.dtype)
    others = masked(boundary.logits, boundary.truth)
    if kind is TargetKind.LOGITS:
        others = torch.where(boundary.crossed[:, None], boundary.logits, others)
    return torch.softmax(others / temperature, dim=1)


def masked(outputs: Tensor, labels: Tensor) -> Tensor:
    """The outputs with that of each case's own label at minus infinity."""
    return torch.where(own_class(outputs, labels), -torch.inf, outputs)


def own_class(outputs: Tensor, labels: Tensor) -> Tensor:
    """Where each case's own label stands among the outputs, bool [N, C]."""
    return labels[:, None] == torch.arange(outputs.shape[1], device=outputs.device)
