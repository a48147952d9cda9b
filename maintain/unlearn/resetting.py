"""Reset and refit, and the warm restart: part of what was learned is thrown away, the rest is learned on without it.

Forgotten cases are never loaded. What makes these methods forget is that a short training on retained cases does not
find again what only the forgotten ones taught; what the untouched stages learned from them stays.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from maintain.imaging.stages import reset_stages, stages_of
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import refit
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene
from maintain.unlearn.refits import refit_course
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import options_of


class Mixup(Objective):
    """Learns pairs of retained cases mixed: image and labels of one, `share` parts, and of another, the rest.

    Shares are drawn from Beta(`alpha`, `alpha`), one a case (Zhang et al. 2018); with zero nothing is mixed.
    """

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha

    def loss(self, network: Answer, batch: Batch) -> Loss:
        """The mixed loss; the outputs are those of the mixed images."""
        if not self._alpha:
            return super().loss(network, batch)
        count = len(batch.labels)
        beta = torch.distributions.Beta(self._alpha, self._alpha)
        share = beta.sample((count,)).to(batch.inputs.device)
        other = torch.randperm(count).to(batch.inputs.device)
        parts = share.reshape(-1, *[1] * (batch.inputs.ndim - 1))
        outputs = network(parts * batch.inputs + (1 - parts) * batch.inputs[other])
        own = functional.cross_entropy(outputs, batch.labels, reduction="none")
        others = functional.cross_entropy(outputs, batch.labels[other], reduction="none")
        return Loss((share * own + (1 - share) * others).mean(), outputs)


class ResetRefit:
    """The method `reset-refit`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there are retained cases and budget to refit with."""
        return refit("reset-refit", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion with its late stages learned anew. Raises as `revise` does."""
        options = options_of("reset-refit", request)
        objective = _Reset(float(options["reset_share"]), alpha=float(options["mixup"]))
        return revise("reset-refit", request, objective, refit_course(options))


class WarmRestart:
    """The method `warm-restart`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there are retained cases and budget to go on with."""
        return refit("warm-restart", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after a restart of its rate. Raises as `revise` does."""
        options = options_of("warm-restart", request)
        return revise("warm-restart", request, Mixup(float(options["mixup"])), refit_course(options))


# --- private ---------------------------------------------------------------------------------------


class _Reset(Mixup):
    """Mixup on a network whose last stages are first put back to what a new network begins with."""

    def __init__(self, share: float, *, alpha: float) -> None:
        super().__init__(alpha)
        self._share = share

    def begin(self, scene: Scene) -> None:
        """Reset the stages, drawn from the training's own seed."""
        super().begin(scene)
        stages = len(stages_of(scene.blueprint.network, scene.network))
        depth = max(1, round(self._share * stages))
        reset_stages(scene.blueprint, scene.network, depth=depth, seed=scene.seed)
