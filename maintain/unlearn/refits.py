"""The course of methods that throw part of the weights away and refit the rest: read without torch."""

from __future__ import annotations

from collections.abc import Mapping

from maintain.records import Scalar
from maintain.unlearn.course import HOLD_THEN_FALL, Choice, Course, Norms
from maintain.unlearn.recipes import CLIP_NORM, MOMENTUM
from maintain.unlearn.table.row import LOOK_STEPS


def refit_course(options: Mapping[str, Scalar]) -> Course:
    """All layers move on retained cases; the rate is held for half of the steps and then falls to zero."""
    return Course(
        steps=int(options["steps"]),
        leg=LOOK_STEPS,
        learning_rate=float(options["learning_rate"]),
        schedule=HOLD_THEN_FALL,
        momentum=MOMENTUM,
        weight_decay=float(options["weight_decay"]),
        clip_norm=CLIP_NORM,
        batch_size=int(options["retain_batch"]),
        norms=Norms(str(options["norms"])),
        choice=Choice.BEST,
    )
