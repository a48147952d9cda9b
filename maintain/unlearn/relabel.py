"""Relabelling: forgotten cases are learned with labels that they do not have, beside retained cases with their own.

The labels are found once, on the champion, before the first step. What differs between the methods is only where
they come from, which is what makes them each other's controls.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.course import Course
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import side_by_side
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene, Swept
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import course_of_options, options_of


class Relabel(Objective):
    """Cross-entropy with the labels that `find` gives for forgotten cases, plus `remain` times that of retained ones.

    `find` gets the champion frozen and the forgotten cases a batch at a time, in the loader's order; it returns
    whole labels, or a distribution over the labels a row.
    """

    def __init__(self, find: Callable[[Scene, nn.Module, Swept], Tensor], *, remain: float) -> None:
        self._find, self._remain = find, remain

    def begin(self, scene: Scene) -> None:
        """Find the labels of all forgotten cases."""
        super().begin(scene)
        champion = scene.freeze()
        self._targets = torch.cat([self._find(scene, champion, swept) for swept in scene.forgotten()])

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """Mean over forgotten cases plus `remain` times the mean over retained ones."""
        outputs = network(batch.inputs)
        count = batch.forgotten
        forgotten = functional.cross_entropy(outputs[:count], self._targets[batch.places])
        retained = self.rule.loss(outputs[count:], batch.labels[count:])
        return Loss(forgotten + self._remain * retained, outputs)


class RandomLabel:
    """The method `random-label`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget."""
        return side_by_side("random-label", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases with labels drawn among the others. Raises as `revise` does."""
        return _relabelled("random-label", request, random_other)


class SecondBestLabel:
    """The method `second-best-label`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget."""
        return side_by_side("second-best-label", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases with its own second choice. Raises as `revise` does."""
        return _relabelled("second-best-label", request, second_best)


def random_other(scene: Scene, champion: nn.Module, swept: Swept) -> Tensor:
    """A label other than a case's own, each as likely."""
    others = len(scene.blueprint.label_order) - 1
    drawn = torch.randint(others, swept.labels.shape, dtype=torch.int64).to(swept.labels.device)
    return drawn + (drawn >= swept.labels).to(torch.int64)


def second_best(scene: Scene, champion: nn.Module, swept: Swept) -> Tensor:
    """The likeliest label other than a case's own."""
    with torch.no_grad():
        outputs = champion(scene.chain.apply(swept.images))
    found: Tensor = outputs.scatter(1, swept.labels[:, None], -torch.inf).argmax(dim=1)
    return found


# --- private ---------------------------------------------------------------------------------------


def _course(method: str, request: UnlearnRequest) -> Course:
    return course_of_options(options_of(method, request))


def _relabelled(method: str, request: UnlearnRequest, find: Callable[[Scene, nn.Module, Swept], Tensor]) -> Unlearned:
    remain = float(options_of(method, request)["remain"])
    return revise(method, request, Relabel(find, remain=remain), _course(method, request))
