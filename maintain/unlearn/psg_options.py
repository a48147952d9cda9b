"""The options of the method `psg` (perturbed sign gradient), read without torch.

What moves, how long and when it stops are the training loop's own options; these are what is the method's:
where the new labels come from, and what is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from maintain.options import Option
from maintain.records import Scalar
from maintain.unlearn.boundary_options import (
    BISECTIONS,
    LARGEST_RADIUS,
    LARGEST_REACH,
    LARGEST_TERM,
    MOST_BISECTIONS,
    MOST_STEPS,
    RADIUS,
    REACH,
    SMALLEST_RADIUS,
    SMALLEST_REACH,
    STEPS,
    Anneal,
    BoundaryOptions,
    StepRule,
    TargetKind,
    reference_options,
)

#: Weight of the retained cases beside the forget cases: 1 was measured to keep retention (psg.md §6.4).
REMAIN = 1.0
#: Above this the forget cases hardly count, and nothing is forgotten within a budget.
LARGEST_REMAIN = 100.0
#: Temperatures outside this range make soft labels hard, or all classes alike.
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.01, 100.0


class PsgMode(StrEnum):
    """What forgetting means here, hence what the update aims at."""

    STANDARD = "standard"
    """A whole label is retired: no forget case may get its own label any more."""
    SELECTIVE = "selective"
    """Part of a label, a device, a withdrawal: forget cases shall be answered as cases never seen, which an
    honest retrain still often gets right; driving them all to a wrong label would betray them."""


PSG_OPTIONS: tuple[Option, ...] = (
    Option(
        name="mode",
        kind="string",
        default=PsgMode.STANDARD.value,
        choices=tuple(PsgMode),
        doc="`standard` drives every forget case off its own label: for a label that is retired as a whole. "
        "`selective` stops where forget cases are answered as never-seen cases of the same group are: for part "
        "of a label, a device, or withdrawn patients.",
    ),
    Option(
        name="radius",
        kind="number",
        default=RADIUS,
        minimum=SMALLEST_RADIUS,
        maximum=LARGEST_RADIUS,
        doc="How far the search may change any one pixel, on a scale from black 0 to white 1. Cases that keep "
        "their answer within it get the network's best other answer, and are counted.",
    ),
    Option(
        name="steps",
        kind="integer",
        default=STEPS,
        minimum=1,
        maximum=MOST_STEPS,
        doc="Steps of the search, each shorter than the one before (1/sqrt(t)). With 1, and lambda and gamma 0, "
        "this is the single-step search of Boundary Shrink.",
    ),
    Option(
        name="reach",
        kind="number",
        default=REACH,
        minimum=SMALLEST_REACH,
        maximum=LARGEST_REACH,
        doc="How long all steps together are, in radii. At 1 only a straight path reaches the edge.",
    ),
    Option(
        name="bisections",
        kind="integer",
        default=BISECTIONS,
        minimum=0,
        maximum=MOST_BISECTIONS,
        doc="How often the step that crossed is halved to find the crossing itself. It makes the radius exact, and "
        "the label that of the first boundary where a long step crossed several.",
    ),
    Option(
        name="lambda",
        kind="number",
        default=0.0,
        minimum=0.0,
        maximum=LARGEST_TERM,
        doc="Pull back towards the image, inside the sign: at 1 a pixel at the full radius returns where its "
        "gradient is below the image's mean. No effect on a first step.",
    ),
    Option(
        name="gamma",
        kind="number",
        default=0.0,
        minimum=0.0,
        maximum=LARGEST_TERM,
        doc="Normal noise inside the sign, relative to the mean gradient of the image: at 1 they weigh the same, far "
        "above it the direction is chance.",
    ),
    Option(
        name="anneal",
        kind="string",
        default=Anneal.NONE.value,
        choices=tuple(Anneal),
        doc="How lambda falls over the steps: not at all, as 1/t (`inverse`), to a hundredth (`exponential`), or "
        "evenly towards 0 (`linear`).",
    ),
    Option(
        name="langevin",
        kind="boolean",
        default=False,
        doc="Literal Langevin steps in place of signs: half the squared step times the gradient, plus the step times "
        "noise. Lambda is then in raw units and gamma must be 0. For comparison: the noise outweighs the gradient.",
    ),
    Option(
        name="discretise",
        kind="boolean",
        default=False,
        doc="Whether searched images are rounded to whole 8-bit levels, so that each could be a stored image.",
    ),
    Option(
        name="targets",
        kind="string",
        default=TargetKind.HARD.value,
        choices=tuple(TargetKind),
        doc="What a forget case is taught: the other label (`hard`), the outputs at the boundary without the own "
        "label (`masked-softmax`), or with it (`logits`, which leaves cases near the tie).",
    ),
    Option(
        name="temperature",
        kind="number",
        default=1.0,
        minimum=SMALLEST_TEMPERATURE,
        maximum=LARGEST_TEMPERATURE,
        doc="Outputs are divided by it before they become soft targets; above 1 the classes come nearer each other.",
    ),
    Option(
        name="remain",
        kind="number",
        default=REMAIN,
        minimum=0.0,
        maximum=LARGEST_REMAIN,
        doc="Weight of the loss on retained cases (phi in the paper). At 0 retention is left to luck.",
    ),
    Option(
        name="retention_drop",
        kind="number",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        doc="Largest loss of validation accuracy on retained cases that is aimed for: the weight of the retained cases "
        "then rises while it is exceeded and falls while it is not. At 0 the weight stays as `remain` says.",
    ),
    Option(
        name="replicate",
        kind="boolean",
        default=False,
        doc="The search of the reference code, mistakes included: wrong pixel units, one step, own labels where no "
        "boundary is crossed, and batch normalisation that learns from forget cases alone. For comparison only; "
        "the options of the search other than lambda and gamma are then the reference's.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PsgChoices:
    """The options of one request, sorted by who uses them: the search, the targets, the update."""

    mode: PsgMode
    search: BoundaryOptions
    targets: TargetKind
    temperature: float
    remain: float
    retention_drop: float


def psg_choices(values: Mapping[str, Scalar]) -> PsgChoices:
    """The options as `resolve_options` filled them in. Raises `InputError` where two contradict each other."""
    return PsgChoices(
        mode=PsgMode(str(values["mode"])),
        search=_search(values),
        targets=TargetKind(str(values["targets"])),
        temperature=float(values["temperature"]),
        remain=float(values["remain"]),
        retention_drop=float(values["retention_drop"]),
    )


# --- private ---------------------------------------------------------------------------------------


def _search(values: Mapping[str, Scalar]) -> BoundaryOptions:
    closeness, noise = float(values["lambda"]), float(values["gamma"])
    if values["replicate"]:
        return reference_options(closeness=closeness, noise=noise)
    return BoundaryOptions(
        radius=float(values["radius"]),
        steps=int(values["steps"]),
        reach=float(values["reach"]),
        bisections=int(values["bisections"]),
        closeness=closeness,
        noise=noise,
        anneal=Anneal(str(values["anneal"])),
        rule=StepRule.LANGEVIN if values["langevin"] else StepRule.SIGN,
        discretise=bool(values["discretise"]),
    )
