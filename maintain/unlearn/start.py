"""Where a training begins that does not begin afresh: another version's weights, and how to treat them.

A start names the manifest of the version it takes over, because whatever that version learned from
is in these weights, however long they are trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from maintain.errors import DamagedError
from maintain.hashing import Digest
from maintain.imaging.weights import read_weights_bytes, weights_digest
from maintain.records import Origin
from maintain.vocabulary import OriginKind

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Gives the bytes of a weights file when they are needed: a method that is never tried loads nothing.
ReadWeights: TypeAlias = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to go on from, and the digests of both them and what they learned.

    With `freeze_norms` the running statistics of batch normalisation stay the parent's: retained cases
    alone would shift them, and the whole network's answers with them, before a weight has moved.
    """

    state: dict[str, Tensor]
    weights: Digest
    manifest: Digest
    freeze_norms: bool = True

    @property
    def origin(self) -> Origin:
        """What the loader's log says of the beginning."""
        return Origin(OriginKind.CHECKPOINT, self.weights, self.manifest)


def read_start(read: ReadWeights, *, weights: Digest, manifest: Digest, freeze_norms: bool = True) -> Start:
    """The start at these weights. Raises `DamagedError` unless the bytes have that digest."""
    return Start(read_weights_bytes(read(), expected=weights), weights, manifest, freeze_norms)


def check_start(start: Start) -> None:
    """Refuse tensors under the digest of others: the origin in the log would then be untrue."""
    if weights_digest(start.state) != start.weights:
        raise DamagedError(
            "The weights to start from are not those that their digest names.",
            remedy="Read them again from the registry with `read_start`.",
        )


def freeze_norms(network: nn.Module, where: Callable[[nn.Module], bool] = lambda layer: True) -> None:
    """Let normalisation layers use their running statistics and leave them as they are, all or those `where` says."""
    for layer in network.modules():
        if getattr(layer, "running_mean", None) is not None and where(layer):
            layer.eval()
