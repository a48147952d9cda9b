"""What a boundary search is told: radius, steps, and the two terms inside the sign; read without torch.

All lengths are in units of a pixel in [0, 1], before it is standardised, so that a figure means the same
for every chain: one level of a stored 8-bit pixel is 1/255.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from maintain.errors import InputError

#: Radius of the method's paper and of its reference code, in pixel units (psg.md §1.3).
RADIUS = 0.1
#: Steps of the search. The reference takes 1, an independent re-implementation 50 (psg.md §1.4).
STEPS = 10
#: All steps together, in radii: enough to turn once and still reach the edge of the ball.
REACH = 2.0
#: Steps of Boundary Shrink's other search, projected gradient descent, and the length of each, in pixel units.
PROJECTED_STEPS, PROJECTED_SIZE = 5, 8 / 255
#: Halvings of the step that crossed: six bring a step of .04 below a thousandth, a quarter of one 8-bit level.
BISECTIONS = 6

#: Ranges, both ends allowed: the table of options and this type refuse the same values.
SMALLEST_RADIUS, LARGEST_RADIUS = 1e-4, 1.0
MOST_STEPS = 1000
SMALLEST_REACH, LARGEST_REACH = 1.0, 100.0
MOST_BISECTIONS = 20
#: Of the closeness and the noise, both relative to the mean size of a sample's gradient.
LARGEST_TERM = 100.0

#: One level of a stored pixel.
LEVEL = 1 / 255
#: Share of the closeness that exponential annealing would leave one step after the last.
_EXPONENTIAL_END = 0.01


class Anneal(StrEnum):
    """How the closeness falls over the steps t = 1..T; every form begins at its full value."""

    NONE = "none"
    """It does not."""
    INVERSE = "inverse"
    """1 / t."""
    EXPONENTIAL = "exponential"
    """To a hundredth over all steps."""
    LINEAR = "linear"
    """1 - (t - 1) / T."""


class StepRule(StrEnum):
    """How a step is made of the gradient."""

    SIGN = "sign"
    """The sign of gradient, closeness and noise together (perturbed sign gradient)."""
    LANGEVIN = "langevin"
    """The literal Langevin step: half the squared step times the gradient, plus the step times normal noise."""


class TargetKind(StrEnum):
    """What a forget case is taught instead of its own label."""

    HARD = "hard"
    """The label on the other side of the boundary, and nothing else."""
    MASKED_SOFTMAX = "masked-softmax"
    """The softmax of the outputs at the boundary, without the own label."""
    LOGITS = "logits"
    """The softmax of the outputs at the boundary, own label included: near a tie, so less is unlearned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryOptions:
    """One search. `closeness` is lambda and `noise` is gamma of the paper; with `steps=1` and neither it is FGSM.

    With `steady` every step is as long as the others, else each is shorter than the one before, by 1/sqrt(t).
    With `replicate` the labels are those of the reference code, its mistakes included; for comparison only.

    Raises:
        InputError: A number is outside its range, or two options contradict each other.
    """

    radius: float = RADIUS
    steps: int = STEPS
    reach: float = REACH
    bisections: int = BISECTIONS
    closeness: float = 0.0
    noise: float = 0.0
    anneal: Anneal = Anneal.NONE
    rule: StepRule = StepRule.SIGN
    discretise: bool = False
    steady: bool = False
    replicate: bool = False

    def __post_init__(self) -> None:
        """Refuse at once what could only be noticed by strange labels later."""
        _require_in("radius", self.radius, SMALLEST_RADIUS, LARGEST_RADIUS)
        _require_in("steps", self.steps, 1, MOST_STEPS)
        _require_in("reach", self.reach, SMALLEST_REACH, LARGEST_REACH)
        _require_in("bisections", self.bisections, 0, MOST_BISECTIONS)
        _require_in("closeness", self.closeness, 0.0, LARGEST_TERM)
        _require_in("noise", self.noise, 0.0, LARGEST_TERM)
        if self.rule is StepRule.LANGEVIN and self.noise:
            raise _contradiction("The Langevin step has noise of its own", "Set the noise (gamma) to 0.")
        if self.discretise and self.radius < LEVEL:
            raise _contradiction("No stored pixel lies within this radius of another", "Use at least 1/255.")
        if self.replicate and (self.steps, self.bisections, self.rule) != (1, 0, StepRule.SIGN):
            raise _contradiction("The reference takes one sign step", "Use `reference_options`.")

    def step_size(self, step: int) -> float:
        """eps0 / sqrt(t) for t = 1..T, or eps0 where steady, such that all steps together are `reach` radii long."""
        if self.steady:
            return self.reach * self.radius / self.steps
        whole = sum(1 / math.sqrt(number) for number in range(1, self.steps + 1))
        return self.reach * self.radius / whole / math.sqrt(step)

    def closeness_at(self, step: int) -> float:
        """The closeness of step t = 1..T as it is annealed."""
        past = (step - 1) / self.steps
        factors: dict[Anneal, float] = {
            Anneal.NONE: 1.0,
            Anneal.INVERSE: 1 / step,
            Anneal.EXPONENTIAL: _EXPONENTIAL_END**past,
            Anneal.LINEAR: 1 - past,
        }
        return self.closeness * factors[self.anneal]


def single_step(radius: float = RADIUS) -> BoundaryOptions:
    """The search of Boundary Shrink (Chen et al., CVPR 2023): one signed gradient step of the whole radius."""
    return BoundaryOptions(radius=radius, steps=1, bisections=0)


def projected_steps(radius: float = RADIUS) -> BoundaryOptions:
    """The other search of Boundary Shrink: five equal steps of 8/255, longer where they would not reach the edge."""
    reach = min(max(SMALLEST_REACH, PROJECTED_STEPS * PROJECTED_SIZE / radius), LARGEST_REACH)
    return BoundaryOptions(radius=radius, steps=PROJECTED_STEPS, reach=reach, bisections=0, steady=True)


def reference_options(*, closeness: float = 0.0, noise: float = 0.0) -> BoundaryOptions:
    """The search as the reference code does it: its radius, its single step, its units (psg.md §4.3 B1, B3)."""
    return BoundaryOptions(
        radius=RADIUS, steps=1, bisections=0, closeness=closeness, noise=noise, discretise=True, replicate=True
    )


# --- private ---------------------------------------------------------------------------------------


def _require_in(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(
            f"The {name} of a boundary search cannot be {value}.",
            remedy=f"It must be between {low:g} and {high:g}.",
        )


def _contradiction(what: str, remedy: str) -> InputError:
    return InputError(f"These options of a boundary search contradict each other: {what}.", remedy=remedy)
