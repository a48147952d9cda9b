"""How much retained cases weigh beside forgotten ones, steered so that they are not lost: a Lagrange multiplier.

The bound is on the mean loss of retained cases, which may rise by so much above the champion's. Both are of the same
batch, so the difference is not the luck of which cases came. No validation case is looked at: those choose among
looks, and would be spent if they steered every step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from maintain.unlearn.objective import Scene

#: At most so much of its logarithm does the weight change in a step: it doubles in seven.
RATE = 0.1
#: The weight stays between a tenth of what it began with and ten times that, so that it never winds up.
SPAN = 10.0


class Multiplier:
    """The weight of retained cases, one number on the device so that no step waits for it.

    With a `drop` of 0 it stays as it began. Else by multiplicative dual ascent, after every step,
    weight <- weight exp(RATE clip((rise - drop) / drop, -1, 1)).
    """

    def __init__(self, scene: Scene, *, start: float, drop: float) -> None:
        self.value = torch.tensor(start, dtype=torch.float64, device=scene.device)
        self._lowest, self._highest, self._drop = start / SPAN, start * SPAN, drop
        self._rule = scene.rule
        self._champion = scene.freeze() if drop else None

    def times(self, loss: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """The weighted loss of these retained cases; the weight then moves by how far it has risen."""
        weighted = self.value.to(loss.dtype) * loss
        if self._champion is not None:
            with torch.no_grad():
                before = self._rule.loss(self._champion(inputs), labels)
            self._move(loss.detach() - before)
        return weighted

    def _move(self, rise: Tensor) -> None:
        over = ((rise.double() - self._drop) / self._drop).clamp(-1.0, 1.0)
        self.value = (self.value * torch.exp(RATE * over)).clamp(self._lowest, self._highest)
