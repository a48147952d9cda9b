"""Random labels, learned by those weights alone that the forgotten cases' loss hangs on most (SalUn).

The mask is a gate around another objective: it takes gradients away before they are clipped, and puts masked weights
back after every step, whatever weight decay or momentum made of them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maintain.imaging.stages import Layers, moving
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.course import Course
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.feed import Side
from maintain.unlearn.foresight import side_by_side
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene
from maintain.unlearn.relabel import Relabel, random_other
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import course_of_options, options_of

#: The name in the table, and of its checkpoint file.
_NAME = "salun"


class Masked(Objective):
    """Another objective, moving only the top `share` of the weights of `layers` by saliency.

    What momentum holds of a masked weight never reaches a network: the weight is put back before it is read again.
    """

    def __init__(self, inner: Objective, *, share: float, layers: Layers) -> None:
        self._inner, self._share, self._layers = inner, share, layers

    def begin(self, scene: Scene) -> None:
        """Rank the weights at the champion, and remember those that shall stay."""
        super().begin(scene)
        self._inner.begin(scene)
        names = moving(scene.blueprint.network, scene.network, self._layers)
        self.moved = top_share(saliency(scene, names), self._share)
        self._kept = {
            name: weight.detach().clone() for name, weight in scene.network.named_parameters() if name in self.moved
        }

    def side(self, step: int) -> Side:
        """As the inner objective says."""
        return self._inner.side(step)

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """The inner objective's loss."""
        return self._inner.loss(network, batch)

    def shape_gradients(self, network: nn.Module, step: int) -> None:
        """No gradient for masked weights, so that clipping measures only what moves."""
        self._inner.shape_gradients(network, step)
        for name, weight in network.named_parameters():
            if name in self.moved and weight.grad is not None:
                weight.grad.masked_fill_(~self.moved[name], 0.0)

    def mend(self, network: nn.Module) -> None:
        """Put masked weights back to the champion's, bit for bit."""
        self._inner.mend(network)
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if name in self.moved:
                    weight.copy_(torch.where(self.moved[name], weight, self._kept[name]))


class SalUn:
    """The method `salun`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget."""
        return side_by_side(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning random labels with its salient weights alone. Raises as `revise` does."""
        options, course = options_of(_NAME, request), _course(request)
        inner = Relabel(random_other, remain=float(options["remain"]))
        return revise(_NAME, request, Masked(inner, share=float(options["share"]), layers=course.layers), course)


def saliency(scene: Scene, names: tuple[str, ...]) -> dict[str, Tensor]:
    """|sum over forgotten cases of the gradient of their loss| at the champion, in evaluation mode, for each name."""
    champion = scene.freeze()
    weights = {name: weight.requires_grad_() for name, weight in champion.named_parameters() if name in names}
    sums = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for swept in scene.forgotten():
        loss = scene.rule.loss(champion(scene.chain.apply(swept.images)), swept.labels) * len(swept.labels)
        for total, found in zip(sums.values(), torch.autograd.grad(loss, list(weights.values())), strict=True):
            total += found
    return {name: total.abs() for name, total in sums.items()}


def top_share(scores: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """True for the highest scores of all tensors together, that share of them rounded up; of equals the first."""
    every = torch.cat([score.flatten() for score in scores.values()])
    highest = torch.argsort(every, descending=True, stable=True)[: math.ceil(share * len(every))]
    chosen = torch.zeros(len(every), dtype=torch.bool, device=every.device)
    chosen[highest] = True
    parts = torch.split(chosen, [score.numel() for score in scores.values()])
    return {name: part.view_as(score) for (name, score), part in zip(scores.items(), parts, strict=True)}


# --- private ---------------------------------------------------------------------------------------


def _course(request: UnlearnRequest) -> Course:
    return course_of_options(options_of(_NAME, request))
