"""What an unlearning method is given, what it gives back, and the two verbs it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maintain.hashing import Digest, digest_json, short
from maintain.records import ModelSpec, RoleTable, Setting, TrainingManifest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.start import ReadWeights
from maintain.unlearn.witness import Witness
from maintain.vocabulary import Precision

if TYPE_CHECKING:
    from torch import Tensor

    from maintain.imaging.pixels import PixelSource
    from maintain.imaging.weights import State
    from maintain.unlearn.session import Judge, Progress, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlearnRequest:
    """One method, one parent, one plan. `budget_steps` bounds the work; the other limits are the caller's.

    `read_parent` gives the parent's weights file, whose digest is `parent_weights`. `witness` is for the
    loop, not for the method. `judge` says on validation cases how far weights are from what the plan wants; without
    it a method ends with its last weights. `references` never saw the forget group; a claim `group` has them.
    What is left in `checkpoints` holds weights: the caller removes it.
    """

    spec: ModelSpec
    manifest: TrainingManifest
    parent_weights: Digest
    read_parent: ReadWeights
    roles: RoleTable
    pixels: PixelSource
    options: tuple[Setting, ...]
    seed: int
    budget_steps: int
    device: str = "cpu"
    precision: Precision = Precision.FP32
    checkpoints: Path | None = None
    progress: Progress | None = None
    stop: Stop | None = None
    judge: Judge | None = None
    references: tuple[State, ...] = ()
    say: Callable[[str], None] | None = None
    witness: Witness = field(default_factory=Witness)

    def checkpoint_of(self, method: str) -> Path | None:
        """Where a training of the method with these options may stop and go on; other options have another file."""
        if self.checkpoints is None:
            return None
        options = digest_json([[setting.name, setting.value] for setting in self.options])
        return self.checkpoints / f"{method}-{short(options)}.checkpoint"


@dataclass(frozen=True, slots=True)
class Unlearned:
    """Revised weights, and nothing about them: how they were made is asked of the witness."""

    state: dict[str, Tensor]


class Unlearner(Protocol):
    """A method: asked first whether it can, and then to do it."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether this method can be tried here, with every reason for and against; costs nothing."""
        ...

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """Revised weights. Raises errors of the family; never returns weights that are not finite."""
        ...
