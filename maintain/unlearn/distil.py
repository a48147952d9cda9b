"""Distilling references: forgotten cases are answered as models that never saw them answer, the rest as before.

It costs the references first, so it never saves time. What it is meant to save is churn: decisions on retained cases
that a retrain changes as another seed would. The committed table of methods does not show that it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from maintain.errors import RefusedError
from maintain.imaging.weights import State, fill
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import side_by_side
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene, frozen_copy
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import course_of_options, options_of

#: The name in the table, and of its checkpoint file.
_NAME = "distil-reference"


class DistilReference:
    """The method `distil-reference`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether the budget holds it; references are trained when the search comes to it."""
        return side_by_side(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion, taught by references. Raises as `revise` does, and `RefusedError` without a reference."""
        options = options_of(_NAME, request)
        objective = Distil(request.references, remain=float(options["remain"]))
        return revise(_NAME, request, objective, course_of_options(options))


class Distil(Objective):
    """Cross-entropy with the references' mean answer on forgotten cases, and with the champion's own on the rest."""

    def __init__(self, references: Sequence[State], *, remain: float) -> None:
        self._references, self._remain = tuple(references), remain

    def begin(self, scene: Scene) -> None:
        """Ask every reference about the forgotten cases, once."""
        super().begin(scene)
        if not self._references:
            raise RefusedError(
                "There is no reference to learn from.",
                remedy="Choose the claim `group`, whose references are trained in the run.",
            )
        self._champion = scene.freeze()
        answers = [_answers(scene, state) for state in self._references]
        self._targets = torch.stack(answers).mean(dim=0)

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """Mean over forgotten cases plus `remain` times the mean over retained ones."""
        outputs = network(batch.inputs)
        count = batch.forgotten
        with torch.no_grad():
            before = self._champion(batch.inputs[count:]).softmax(dim=1)
        forgotten = functional.cross_entropy(outputs[:count], self._targets[batch.places])
        retained = functional.cross_entropy(outputs[count:], before)
        return Loss(forgotten + self._remain * retained, outputs)


# --- private ---------------------------------------------------------------------------------------


def _answers(scene: Scene, state: State) -> Tensor:
    """What one reference answers about every forgotten case, a row a case, in the loader's order."""
    reference = frozen_copy(fill(scene.blueprint.build(scene.seed), state, source="a reference")).to(scene.device)
    with torch.no_grad():
        rows = [reference(scene.chain.apply(swept.images)).softmax(dim=1) for swept in scene.forgotten()]
    return torch.cat(rows)
