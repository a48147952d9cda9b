"""The course of methods that step on forgotten and retained cases side by side, from the options that they share."""

from __future__ import annotations

from collections.abc import Mapping

from maintain.imaging.stages import Layers
from maintain.records import Scalar
from maintain.unlearn.course import CONSTANT, Choice, Course, Norms
from maintain.unlearn.eligibility import Asked
from maintain.unlearn.options import method_info, resolve_options
from maintain.unlearn.recipes import CLIP_NORM, MOMENTUM
from maintain.unlearn.table.row import LOOK_STEPS


def options_of(method: str, asked: Asked) -> dict[str, Scalar]:
    """Every option of the method by name: what it is asked for, else the default."""
    return {setting.name: setting.value for setting in resolve_options(method_info(method), asked.options)}


def course_of_options(options: Mapping[str, Scalar]) -> Course:
    """A constant rate until the first look that reaches the target; no weight decay, as nothing is learned anew."""
    return Course(
        steps=int(options["steps"]),
        leg=LOOK_STEPS,
        learning_rate=float(options["learning_rate"]),
        schedule=CONSTANT,
        momentum=MOMENTUM,
        weight_decay=0.0,
        clip_norm=CLIP_NORM,
        batch_size=int(options["retain_batch"]),
        forget_batch=int(options["forget_batch"]),
        norms=Norms(str(options["norms"])),
        layers=Layers(str(options["layers"])),
        choice=Choice.FIRST,
    )
