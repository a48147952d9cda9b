"""Draw weights anew where gradients hardly tell forgotten from retained cases, then refit (`msg`).

Weights that matter for retained cases as much as for forgotten ones have the smallest gradient of the difference of
the two losses; the challenge's entry draws those anew and learns them faster than the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import refit
from maintain.unlearn.objective import Scene, Swept
from maintain.unlearn.refits import refit_course
from maintain.unlearn.resetting import Mixup
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import options_of


class Msg:
    """The method `msg`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there are retained cases and budget to refit with."""
        return refit("msg", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion with weights drawn anew and refitted. Raises as `revise` does."""
        options = options_of("msg", request)
        objective = DrawnAnew(float(options["draw_share"]), slow=float(options["slow"]), alpha=float(options["mixup"]))
        return revise("msg", request, objective, refit_course(options), looks_at_forgotten=True)


class DrawnAnew(Mixup):
    """Mixup after drawing a share of every layer's weights anew; the others are learned `slow` times as fast."""

    def __init__(self, share: float, *, slow: float, alpha: float) -> None:
        super().__init__(alpha)
        self._share, self._slow = share, slow

    def begin(self, scene: Scene) -> None:
        """Find the weights whose gradients tell least, and draw them from a new network of the training's seed."""
        super().begin(scene)
        telling = _telling(scene)
        fresh = dict(scene.blueprint.build(scene.seed).to(scene.device).named_parameters())
        self._drawn: dict[str, Tensor] = {}
        with torch.no_grad():
            for name, weight in scene.network.named_parameters():
                if name not in telling:
                    continue
                smallest = telling[name].abs().flatten().argsort()[: round(self._share * weight.numel())]
                drawn = torch.zeros(weight.numel(), dtype=torch.bool, device=weight.device)
                drawn[smallest] = True
                self._drawn[name] = drawn.reshape(weight.shape)
                weight[self._drawn[name]] = fresh[name][self._drawn[name]]

    def shape_gradients(self, network: nn.Module, step: int) -> None:
        """Weights that were not drawn anew get a share of their gradient."""
        for name, weight in network.named_parameters():
            if weight.grad is not None:
                kept = ~self._drawn[name] if name in self._drawn else torch.ones_like(weight, dtype=torch.bool)
                weight.grad[kept] *= self._slow


# --- private ---------------------------------------------------------------------------------------


def _telling(scene: Scene) -> dict[str, Tensor]:
    """The gradient of as many retained cases as there are forgotten ones, less that of the forgotten ones."""
    champion = scene.freeze().requires_grad_(True)
    weights = {name: weight for name, weight in champion.named_parameters() if weight.ndim > 1}
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    forgotten = 0
    for swept in scene.forgotten():
        forgotten += len(swept.labels)
        _add(scene, champion, weights, total, swept, sign=-1.0)
    for swept in _first(scene.retained(), forgotten):
        _add(scene, champion, weights, total, swept, sign=1.0)
    return total


def _first(given: Iterator[Swept], count: int) -> Iterator[Swept]:
    """The first `count` of the cases, the last batch cut."""
    for swept in given:
        if count <= 0:
            return
        yield Swept(swept.images[:count], swept.labels[:count], swept.places[:count])
        count -= len(swept.labels)


def _add(
    scene: Scene,
    champion: nn.Module,
    weights: dict[str, nn.Parameter],
    total: dict[str, Tensor],
    swept: Swept,
    *,
    sign: float,
) -> None:
    outputs = champion(scene.chain.apply(swept.images))
    loss = scene.rule.loss(outputs, swept.labels) * len(swept.labels)
    for (name, _), slope in zip(weights.items(), torch.autograd.grad(loss, list(weights.values())), strict=True):
        total[name] += sign * slope
