"""A training as it is asked for, and a training under way: the values that the loop moves and a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LRScheduler

from maintain.codec import encode
from maintain.errors import InputError
from maintain.hashing import Digest, digest_json
from maintain.imaging.augmentation import Augment, load_augmentation
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.compute import channels_last, precision
from maintain.imaging.heads import HeadRule, head_rule
from maintain.imaging.transforms import Chain
from maintain.imaging.weights import State, fill, weights_digest
from maintain.records import Origin
from maintain.unlearn.course import Choice, Course
from maintain.unlearn.feed import Feed, FeedState
from maintain.unlearn.objective import Objective, Scene, frozen_copy
from maintain.unlearn.recipes import NOT_DRAWN_YET
from maintain.unlearn.start import Start, check_start
from maintain.unlearn.steering import optimiser_of, schedule_of
from maintain.vocabulary import OriginKind, Precision

#: Told after every leg: (legs done, legs in all, mean loss of the leg).
Progress: TypeAlias = Callable[[int, int, float], None]
#: Asked after every leg whether to stop here, before its checkpoint is written; what it raises leaves none.
Stop: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far weights are from what a method is to reach, measured on validation: less is nearer."""

    score: float
    reached: bool


#: Asked at every look how weights stand; it must answer the same for the same weights.
Judge: TypeAlias = Callable[[State], Standing]


@dataclass(frozen=True, slots=True)
class LegResult:
    """What one leg looked like from inside, measured while the weights moved."""

    leg: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training as it is asked for. `named` is whatever else a checkpoint must belong to, as plain values.

    `initial_weights` is their digest where it is known beforehand; `leg` is what a leg is called. `pay` is told
    the steps of a training that is refused, which cost as much as any.
    """

    blueprint: Blueprint
    course: Course
    objective: Objective
    feed: Feed
    seed: int
    augmentation: str
    start: Start | None = None
    initial_weights: Digest = NOT_DRAWN_YET
    named: tuple[object, ...] = ()
    device: str = "cpu"
    checkpoint: Path | None = None
    progress: Progress | None = None
    stop: Stop | None = None
    judge: Judge | None = None
    pay: Callable[[int], None] | None = None
    leg: str = "epoch"


@dataclass(frozen=True, slots=True)
class Kept:
    """Weights of an earlier look that may be those to end with."""

    state: dict[str, torch.Tensor]
    feed: FeedState
    step: int
    standing: Standing


@dataclass(slots=True)
class Session:
    """A training under way: what moves, and what it must stay true to."""

    asked: Training
    origin: Origin
    digest: Digest
    chain: Chain
    rule: HeadRule
    augment: Augment
    network: nn.Module
    optimiser: SGD
    scheduler: LRScheduler
    step: int = 0
    history: list[LegResult] = field(default_factory=list)
    kept: Kept | None = None

    def answer(self, inputs: Tensor) -> Tensor:
        """The outputs of the network that moves, computed in the precision of the course and given in 32 bits."""
        wanted, device = self.asked.course.precision, self.asked.device
        if wanted is Precision.FP32:
            outputs: Tensor = self.network(inputs)
            return outputs
        with precision(wanted, device):
            outputs = self.network(inputs.contiguous(memory_format=torch.channels_last))
        return outputs.float()

    @property
    def done(self) -> int:
        """Finished legs."""
        return len(self.history)

    @property
    def ended(self) -> bool:
        """Whether no leg is left, or the target was reached and training stops there."""
        first = self.asked.course.choice is Choice.FIRST
        reached = self.kept is not None and self.kept.standing.reached
        return self.step >= self.asked.course.steps or (first and reached)


def begin(training: Training) -> Session:
    """The session before its first step: weights drawn or taken over, and the objective prepared.

    Raises:
        DamagedError: The weights to start from are not those that their digest names.
        InputError: The initial weights are others than the recipe names.
    """
    blueprint, course = training.blueprint, training.course
    network, origin = _first_weights(training)
    network.to(training.device)
    if course.precision is Precision.BF16:
        channels_last(network)
    chain, rule = Chain(blueprint.preprocessing), head_rule(blueprint.head)
    scene = Scene(
        network=network,
        blueprint=blueprint,
        chain=chain,
        rule=rule,
        feed=training.feed,
        seed=training.seed,
        device=training.device,
        freeze=lambda: frozen_copy(network),
        cache=training.checkpoint.parent if training.checkpoint is not None else None,
        precision=course.precision,
    )
    training.objective.begin(scene)
    optimiser = optimiser_of(network, blueprint.network, course)
    digest = digest_json(
        [
            encode(blueprint),
            asdict(course),
            encode(origin),
            training.seed,
            training.augmentation,
            list(training.named),
            training.feed.cases_digest,
        ]
    )
    augment = load_augmentation(training.augmentation)
    return Session(training, origin, digest, chain, rule, augment, network, optimiser, schedule_of(optimiser, course))


# --- private ---------------------------------------------------------------------------------------


def _first_weights(training: Training) -> tuple[nn.Module, Origin]:
    network = training.blueprint.build(training.seed)
    start = training.start
    if start is None:
        origin = Origin(OriginKind.INITIALISATION, weights_digest(network.state_dict()))
    else:
        check_start(start)
        fill(network, start.state, source="the start")
        origin = start.origin
    if training.initial_weights not in (NOT_DRAWN_YET, origin.weights):
        raise InputError(
            "The recipe names other initial weights than this training begins from.",
            remedy="Train with the torch version that the recipe was made with, or leave the digest out.",
        )
    return network, origin
