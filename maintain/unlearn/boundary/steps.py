"""The arithmetic of one step of a boundary search: what is climbed, in which direction, and inside which ball."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from maintain.errors import InputError, NotEvaluatedError
from maintain.unlearn.boundary.labels import masked, own_class
from maintain.unlearn.boundary.options import LEVEL, BoundaryOptions, StepRule


def other_margin(outputs: Tensor, labels: Tensor) -> Tensor:
    """How far the others lead, u = logsumexp of them - the own class: the cross-entropy is softplus(u).

    Its gradient points where the cross-entropy's does, and does not vanish where the network is so sure that
    1 - p rounds to 0, which is where forget cases stand.
    """
    own = torch.where(own_class(outputs, labels), outputs, 0.0).sum(dim=1)
    return torch.logsumexp(masked(outputs, labels), dim=1) - own


def climbed(outputs: Tensor, labels: Tensor, rule: StepRule) -> Tensor:
    """What each sample climbs: the margin under a sign, which has no scale; the cross-entropy itself for Langevin."""
    margin = other_margin(outputs, labels)
    return functional.softplus(margin) if rule is StepRule.LANGEVIN else margin


def change_of(gradient: Tensor, offset: Tensor, noise: Tensor | None, options: BoundaryOptions, step: int) -> Tensor:
    """How far step t = 1..T moves each pixel. `noise` is standard normal, or None where the options ask for none."""
    size, closeness = options.step_size(step), options.closeness_at(step)
    drawn = torch.zeros_like(offset) if noise is None else noise
    if options.rule is StepRule.LANGEVIN:
        return size**2 / 2 * (gradient - closeness * offset) + size * drawn
    direction = sign_direction(gradient, offset, options.noise * drawn, closeness=closeness, radius=options.radius)
    return size * direction


def sign_direction(gradient: Tensor, offset: Tensor, noise: Tensor, *, closeness: float, radius: float) -> Tensor:
    """sign(g / mean|g| - lambda * delta / radius + noise), each sample on its own scale (psg.md §1.4b, A1, A6).

    Minus, because under ascent a plus would push away from the image. A gradient of zero stays zero.
    """
    size = gradient.abs().flatten(1).mean(dim=1).reshape(-1, *[1] * (gradient.ndim - 1))
    relative = torch.where(size > 0, gradient / size, 0.0)
    return torch.sign(relative - closeness / radius * offset + noise)


def ball(start: Tensor, options: BoundaryOptions) -> tuple[Tensor, Tensor]:
    """Lowest and highest value of each pixel; on the 8-bit grid where that is asked for."""
    low, high = (start - options.radius).clamp(min=0.0), (start + options.radius).clamp(max=1.0)
    if options.discretise:
        low = torch.ceil(low / LEVEL - _GRID_SLACK) * LEVEL
        high = torch.floor(high / LEVEL + _GRID_SLACK) * LEVEL
    return low, high


def on_grid(points: Tensor) -> Tensor:
    """The nearest stored pixel of each: a whole number of 255ths."""
    return torch.round(points / LEVEL) * LEVEL


def finite_outputs(outputs: Tensor) -> Tensor:
    """Outputs [N, C] that can be searched. Raises for one class, or for what is not a finite number."""
    if outputs.ndim != 2 or outputs.shape[1] < _FEWEST_CLASSES:
        raise InputError(
            f"A network with outputs of shape {tuple(outputs.shape)} has no boundary between classes.",
            remedy="Search a network with at least two classes, one output each.",
        )
    return finite(outputs, "outputs")


def finite(numbers: Tensor, what: str) -> Tensor:
    """The numbers themselves. Raises `NotEvaluatedError` where one is a NaN or an infinity."""
    if not bool(torch.isfinite(numbers).all()):
        raise NotEvaluatedError(
            f"The network's {what} are not finite numbers, so no boundary can be found.",
            remedy="Check the weights with `all_finite`; weights with NaN or infinities fail `integrity`.",
        )
    return numbers


# --- private ---------------------------------------------------------------------------------------

#: Fewer classes than this have no boundary between them.
_FEWEST_CLASSES = 2
#: Slack of a comparison on the 8-bit grid, in levels: float32 pixels carry errors of 1e-5 levels.
_GRID_SLACK = 1e-3
