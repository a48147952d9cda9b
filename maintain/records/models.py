"""What a model is, what it learned from, and one registered version of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from maintain.hashing import Digest
from maintain.records.cohort import CaseRef
from maintain.vocabulary import Head, ManifestStatus, OriginKind

Scalar: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Setting:
    """One named option with its value."""

    name: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Origin:
    """What a training started from; a checkpoint names the manifest of the version it came from."""

    kind: OriginKind
    weights: Digest
    manifest: Digest | None = None


@dataclass(frozen=True, slots=True)
class TrainingManifest:
    """What a version learned from, in three sorted lists, and what it started from.

    `unlearned` holds cases learned by a version whose weights this one started from and removed
    by behaviour; a retrain leaves it empty. `selected_with` is the validation split.
    """

    model: str
    status: ManifestStatus
    origin: Origin
    learned: tuple[CaseRef, ...]
    unlearned: tuple[CaseRef, ...]
    selected_with: tuple[CaseRef, ...]
    snapshot: Digest | None = None
    parent: Digest | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A network by its catalogue name."""

    name: str
    options: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One named, versioned preprocessing step."""

    name: str
    version: int
    options: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How weights are made from data; together with a manifest it is enough to train again."""

    optimiser: str
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str
    epochs: int
    batch_size: int
    clip_norm: float
    augmentation: str
    seed: int
    initial_weights: Digest


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that turns pixels into a decision, except the weights themselves."""

    model: str
    network: Network
    input_shape: tuple[int, ...]
    head: Head
    label_name: str
    label_order: tuple[str, ...]
    operating_threshold: float | None
    preprocessing: tuple[Step, ...]
    recipe: Recipe | None
    manifest: Digest
    public_checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version: weights by digest, and what they came from."""

    model: str
    version: int
    weights: Digest
    spec: Digest
    manifest: Digest
    loader_log: Digest | None
    parent: int | None
    method: str
    seed: int
    code: str
    run: str | None = None
    policy: Digest | None = None
    plan: Digest | None = None
    candidate: Digest | None = None
    verdict: Digest | None = None
    forget_set: Digest | None = None


@dataclass(frozen=True, slots=True)
class SyntheticAnswers:
    """What a version answered about pictures that were drawn from `seed`, one row of outputs a picture.

    `pictures` is the digest of their pixels, so that another way of drawing is not taken for another model.
    """

    seed: int
    pictures: Digest
    outputs: tuple[tuple[float, ...], ...]
