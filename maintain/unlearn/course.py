"""How weights move in one training, as named figures without torch: rate, clipping, normalisation, layers, looks.

A recipe says how a model is made from nothing and is kept with it. A course says how one training goes, whether it
makes a model or revises one; every recipe is a course, and few courses are recipes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maintain.errors import InputError
from maintain.imaging.batches import batches_per_epoch
from maintain.imaging.stages import Layers
from maintain.records import Recipe
from maintain.unlearn.recipes import ONE_CYCLE

#: A rate that stays as it is.
CONSTANT = "constant"
#: Half of the steps at the peak, then down to zero in a straight line (feasibility study, section 5: `reset-refit`).
HOLD_THEN_FALL = "hold-then-fall"
#: Share of the steps in which `hold-then-fall` holds.
HOLD_SHARE = 0.5


class Norms(StrEnum):
    """What normalisation layers with running statistics do while weights move."""

    MIXED = "mixed"
    """They normalise by the batch and go on learning their statistics from it, forgotten and retained cases mixed."""
    FROZEN = "frozen"
    """They keep the statistics they began with, so that nothing is forgotten by drift alone."""
    RECALIBRATE = "recalibrate"
    """Frozen; before every look the statistics are made anew from the retained cases, and go into the weights."""


class Choice(StrEnum):
    """Which of the looked-at weights a training ends with."""

    LAST = "last"
    """Those after the last step."""
    BEST = "best"
    """Those nearest to the target on validation; every step of the budget is taken."""
    FIRST = "first"
    """The first that reach the target, where training stops; failing that, the nearest."""


class Precision(StrEnum):
    """In which numbers a forward pass computes; weights and their changes stay in 32 bits."""

    FP32 = "fp32"
    """32 bits throughout."""
    BF16 = "bf16"
    """Matrix products and convolutions in bfloat16 (autocast)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One training, from its first step to its last. A look follows every `leg` of steps.

    `weight_decay` pulls every moving weight to zero, `clip_norm` bounds a gradient's norm, `nesterov` looks ahead
    along the momentum.
    """

    steps: int
    leg: int
    learning_rate: float
    schedule: str
    momentum: float
    weight_decay: float
    clip_norm: float
    batch_size: int
    forget_batch: int = 0
    norms: Norms = Norms.MIXED
    layers: Layers = Layers.ALL
    choice: Choice = Choice.LAST
    precision: Precision = Precision.FP32
    nesterov: bool = True

    @property
    def legs(self) -> int:
        """How many looks there are; the last leg may be shorter."""
        return -(-self.steps // self.leg)


def course_of(recipe: Recipe, cases: int, *, norms: Norms, precision: Precision = Precision.FP32) -> Course:
    """The course of a recipe over this many cases: a leg is one pass."""
    leg = batches_per_epoch(cases, recipe.batch_size)
    return Course(
        steps=recipe.epochs * leg,
        leg=leg,
        learning_rate=recipe.learning_rate,
        schedule=recipe.schedule,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        clip_norm=recipe.clip_norm,
        batch_size=recipe.batch_size,
        norms=norms,
        precision=precision,
    )


def check_course(course: Course, *, budget_steps: int | None = None) -> None:
    """Refuse a course that cannot be gone, or that goes beyond the budget. Raises `InputError`."""
    for name, fits, allowed in (
        ("steps", course.steps >= 1, "at least one"),
        ("leg", course.leg >= 1, "at least one"),
        ("learning rate", 0 < course.learning_rate < float("inf"), "above zero"),
        ("momentum", 0 <= course.momentum < 1, "zero or more, below one"),
        ("weight decay", 0 <= course.weight_decay < float("inf"), "zero or more"),
        ("clipping norm", 0 < course.clip_norm < float("inf"), "above zero"),
        ("batch size", course.batch_size >= 1 and course.forget_batch >= 0, "at least one"),
        ("schedule", course.schedule in (ONE_CYCLE, CONSTANT, HOLD_THEN_FALL), "one that this program knows"),
    ):
        if not fits:
            raise InputError(f"The {name} of this training cannot be used.", remedy=f"It must be {allowed}.")
    if budget_steps is not None and course.steps > budget_steps:
        raise InputError(
            f"This training takes {course.steps} steps; the budget is {budget_steps}.",
            remedy="Raise `unlearn.budget.steps`, or choose fewer steps.",
        )
