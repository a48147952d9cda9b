"""A student leaves its teacher on forgotten cases and stays with it on retained ones (SCRUB).

The teacher is the champion, copied and frozen: another object than the student, or there is nothing to leave.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.course import Choice
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.feed import Side
from maintain.unlearn.foresight import rounds
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene
from maintain.unlearn.revision import revise
from maintain.unlearn.rounds import Rounds, rounds_of
from maintain.unlearn.side_by_side import course_of_options, options_of
from maintain.vocabulary import Role

#: The name in the table, and of its checkpoint file.
_NAME = "scrub"


class MaxMin(Objective):
    """Max-steps: -KL_T on forgotten cases. Min-steps: alpha * KL_T + gamma * CE on retained ones.

    Steps come in rounds from one look to the next: a min-step, some max-steps, min-steps to the end. At the champion
    the divergence is nought and so is its gradient, so a max-step there would do nothing.
    """

    def __init__(self, *, alpha: float, gamma: float, temperature: float, rounds: Rounds) -> None:
        self._alpha, self._gamma = alpha, gamma
        self._temperature, self._rounds = temperature, rounds

    def begin(self, scene: Scene) -> None:
        """Freeze the teacher before the student moves."""
        super().begin(scene)
        self.teacher = scene.freeze()

    def side(self, step: int) -> Side:
        """Forgotten cases alone in max-steps, retained ones alone in min-steps."""
        return Side.FORGET if self._rounds.is_max_step(step) else Side.RETAIN

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """The loss of a max-step for a batch of forgotten cases, else that of a min-step."""
        outputs = network(batch.inputs)
        with torch.no_grad():
            taught = self.teacher(batch.inputs)
        apart = divergence(outputs, taught, temperature=self._temperature)
        if batch.forgotten:
            return Loss(-apart, outputs)
        return Loss(self._alpha * apart + self._gamma * self.rule.loss(outputs, batch.labels), outputs)


class Scrub:
    """The method `scrub`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether the budget holds as many rounds as see every forgotten case."""
        return rounds(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The student at the look that is nearest to the target. Raises as `revise` does."""
        self.eligible(request).require(_NAME)
        options = options_of(_NAME, request)
        gone = rounds_of(options, len(request.roles.of(Role.FORGET)))
        objective = MaxMin(
            alpha=float(options["alpha"]),
            gamma=float(options["gamma"]),
            temperature=float(options["temperature"]),
            rounds=gone,
        )
        # Every step of the rounds, then back to the best look: the rewind of SCRUB+R.
        course = replace(course_of_options(options), steps=gone.steps, choice=Choice.BEST)
        return revise(_NAME, request, objective, course)


def divergence(outputs: Tensor, taught: Tensor, *, temperature: float) -> Tensor:
    """T^2 * KL(teacher || student) at temperature T, a mean over cases (Hinton et al. 2015; Kurmanji et al. 2023)."""
    student = functional.log_softmax(outputs / temperature, dim=1)
    teacher = functional.log_softmax(taught / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2
