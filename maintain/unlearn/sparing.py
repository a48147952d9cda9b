"""How few forgotten cases are pushed where an honest retrain would still answer many of them as labelled."""

from __future__ import annotations

import torch
from torch import Tensor

from maintain.unlearn.boundary import Boundary


class Spared:
    """Which forgotten cases a step pushes where some may stay as they are: the nearest to the boundary first.

    `answered` says of every forgotten case whether it was answered as labelled when it was last seen. While more are
    than `share` allows, as many as there are too many are pushed, of those in the batch that still are. A retrain
    errs on cases that are hard, and hard cases lie near the boundary.
    """

    def __init__(self, boundary: Boundary, share: float) -> None:
        self.answered = ~boundary.crossed | (boundary.steps > 0)
        self._radius = torch.where(boundary.crossed, boundary.radius, torch.inf)
        self._allowed = int(share * len(boundary) + _ROUNDING)

    def pushed(self, places: Tensor, answered: Tensor) -> Tensor:
        """Which of these cases are pushed, bool; what they were answered is remembered."""
        self.answered[places] = answered
        too_many = self.answered.sum() - self._allowed
        nearest = torch.argsort(torch.where(answered, self._radius[places], torch.nan), stable=True)
        rank = torch.empty_like(nearest).scatter_(0, nearest, torch.arange(len(nearest), device=nearest.device))
        return answered & (rank < too_many)


# --- private ---------------------------------------------------------------------------------------

#: A share of the cases that is a whole number of them but for rounding is that number.
_ROUNDING = 1e-9
