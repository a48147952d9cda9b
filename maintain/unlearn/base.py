"""What an unlearning method is given, what it gives back, and the two verbs it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maintain.hashing import Digest
from maintain.records import LoaderLog, ModelSpec, Origin, Recipe, RoleTable, Setting, TrainingManifest
from maintain.unlearn.eligibility import Eligibility

if TYPE_CHECKING:
    from torch import Tensor

    from maintain.imaging.pixels import PixelSource
    from maintain.unlearn.loop import Progress, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlearnRequest:
    """One method, one parent, one plan. `budget_steps` bounds the work; the other limits are the caller's.

    `checkpoints` is a folder of this run's own; what is left in it holds weights: the caller removes it.
    """

    spec: ModelSpec
    manifest: TrainingManifest
    parent_weights: Digest
    roles: RoleTable
    pixels: PixelSource
    options: tuple[Setting, ...]
    seed: int
    budget_steps: int
    device: str = "cpu"
    checkpoints: Path | None = None
    progress: Progress | None = None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Unlearned:
    """Revised weights with what the loader counted while they were made."""

    state: dict[str, Tensor]
    weights: Digest
    recipe: Recipe
    origin: Origin
    log: LoaderLog
    steps: int


class Unlearner(Protocol):
    """A method: asked first whether it can, and then to do it."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether this method can be tried here, with every reason for and against; costs nothing."""
        ...

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """Revised weights. Raises errors of the family; never returns weights that are not finite."""
        ...
