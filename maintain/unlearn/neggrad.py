"""Gradient ascent on forgotten cases beside descent on retained ones, with a roof over the ascent.

Ascent has no bottom of its own: without the cap one case's loss runs away, and the weights with it.
"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.course import Course
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import side_by_side
from maintain.unlearn.objective import Answer, Batch, Loss, Objective
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import course_of_options, options_of

#: The name in the table, and of its checkpoint file.
_NAME = "neggrad-plus"


class CappedAscent(Objective):
    """remain * CE(retained) - ascent * mean over forgotten cases of min(CE, cap * ln(labels)).

    ln(labels) is the loss of an even guess. A case whose loss is at the cap pushes no more.
    """

    def __init__(self, *, ascent: float, cap: float, remain: float) -> None:
        self._ascent, self._cap, self._remain = ascent, cap, remain

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """The loss of retained cases less that of forgotten ones, each a mean over its own."""
        outputs = network(batch.inputs)
        count = batch.forgotten
        forgotten = capped(outputs[:count], batch.labels[:count], self._cap).mean()
        retained = self.rule.loss(outputs[count:], batch.labels[count:])
        return Loss(self._remain * retained - self._ascent * forgotten, outputs)


class NegGradPlus:
    """The method `neggrad-plus`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether the course can be gone within the budget."""
        return side_by_side(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after ascent on forgotten and descent on retained cases. Raises as `revise` does."""
        options = options_of(_NAME, request)
        objective = CappedAscent(
            ascent=float(options["ascent"]), cap=float(options["cap"]), remain=float(options["remain"])
        )
        return revise(_NAME, request, objective, _course(request))


def capped(outputs: Tensor, labels: Tensor, cap: float) -> Tensor:
    """The cross-entropy of every case, at most `cap` times that of an even guess; above it without a gradient."""
    most = cap * math.log(outputs.shape[1])
    return functional.cross_entropy(outputs, labels, reduction="none").clamp(max=most)


# --- private ---------------------------------------------------------------------------------------


def _course(request: UnlearnRequest) -> Course:
    return course_of_options(options_of(_NAME, request))
