"""What moves the weights of a course: the optimiser over the layers that move, and the schedule of its rate."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from maintain.imaging.stages import Layers, moving
from maintain.records import Network
from maintain.unlearn.course import CONSTANT, HOLD_SHARE, HOLD_THEN_FALL, Course
from maintain.unlearn.recipes import END_DIVISOR, RISE_SHARE, START_DIVISOR


def optimiser_of(network: nn.Module, named: Network, course: Course) -> SGD:
    """Stochastic gradient descent over the layers that move; nothing else gets a gradient."""
    if course.layers is not Layers.ALL:
        names = frozenset(moving(named, network, course.layers))
        for name, weight in network.named_parameters():
            weight.requires_grad_(name in names)
    return SGD(
        [weight for weight in network.parameters() if weight.requires_grad],
        lr=course.learning_rate,
        momentum=course.momentum,
        nesterov=course.nesterov and course.momentum > 0,
        weight_decay=course.weight_decay,
    )


def schedule_of(optimiser: SGD, course: Course) -> LRScheduler:
    """The rate at every step, as the course names it."""
    if course.schedule == CONSTANT:
        return LambdaLR(optimiser, lambda _: 1.0)
    if course.schedule == HOLD_THEN_FALL:
        held = math.ceil(course.steps * HOLD_SHARE)
        return LambdaLR(optimiser, lambda step: min(1.0, (course.steps - step) / max(course.steps - held, 1)))
    return OneCycleLR(
        optimiser,
        max_lr=course.learning_rate,
        total_steps=course.steps,
        pct_start=RISE_SHARE,
        div_factor=START_DIVISOR,
        final_div_factor=END_DIVISOR,
        cycle_momentum=False,
    )
