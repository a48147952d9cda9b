"""What a model is before it has weights: network, input, head, labels and preprocessing.

A `ModelSpec` names the manifest of what was learned, so it exists only after training; this is the
part that exists before, and that training, measuring and loading share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maintain.errors import InputError
from maintain.imaging.networks import build_network, check_network
from maintain.records import ModelSpec, Network, PlannedCase, SnapshotMember, Step
from maintain.vocabulary import Head, Role

if TYPE_CHECKING:
    from torch import nn

    from maintain.imaging.loader import LoaderCase

#: Fewer classes than this leave nothing to decide.
_FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything of a model but its weights and its history. `input_shape` is (channels, height, width).

    Raises:
        InputError: The network, the input shape, the head and the labels do not fit together.
    """

    network: Network
    input_shape: tuple[int, ...]
    head: Head
    label_order: tuple[str, ...]
    preprocessing: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be built, before any time is spent."""
        check_network(self.network, input_shape=self.input_shape, head=self.head)
        if len(set(self.label_order)) != len(self.label_order) or len(self.label_order) < _FEWEST_LABELS:
            raise InputError(
                f"The labels {list(self.label_order)} cannot be told apart.",
                remedy="Name at least two labels, each once.",
            )

    def build(self, seed: int) -> nn.Module:
        """A new network whose weights are drawn from `seed`."""
        return build_network(
            self.network,
            input_shape=self.input_shape,
            outputs=len(self.label_order),
            seed=seed,
            head=self.head,
        )

    def label_index(self, label: str) -> int | None:
        """The place of a label among the outputs, or None when the model does not know it."""
        return self.label_order.index(label) if label in self.label_order else None

    def loader_cases(self, rows: Sequence[PlannedCase | SnapshotMember], role: Role) -> tuple[LoaderCase, ...]:
        """What the loader hands out for these rows. Raises `InputError` for a label that is unknown."""
        from maintain.imaging.loader import LoaderCase

        unknown = sorted({row.label for row in rows} - set(self.label_order))
        if unknown:
            raise InputError(
                f"Cases carry labels that the model does not know: {', '.join(unknown)}.",
                remedy=f"The model knows: {', '.join(self.label_order)}.",
            )
        index = {label: place for place, label in enumerate(self.label_order)}
        return tuple(LoaderCase(row.case_id, row.label_version, index[row.label], row.pixels, role) for row in rows)


def blueprint_of(spec: ModelSpec) -> Blueprint:
    """The part of a spec that exists before training."""
    return Blueprint(spec.network, spec.input_shape, spec.head, spec.label_order, spec.preprocessing)
