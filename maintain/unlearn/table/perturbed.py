"""Methods that search the champion's boundary around each forgotten case and teach the label on its other side."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from maintain.options import Option
from maintain.unlearn.boundary.options import (
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
    TargetKind,
)
from maintain.unlearn.table.row import FORESIGHT, FORGET, LAYERS, LEARNING_RATE, SIDE_BY_SIDE, MethodInfo
from maintain.unlearn.table.row import STEPS as UPDATE_STEPS
from maintain.vocabulary import Claim

#: Temperatures outside this range make soft labels hard, or all classes alike.
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.01, 100.0
#: A tenth of the rate beside retained cases: with none to hold the rest, that rate ends below chance in 80 steps.
SHRINK_RATE = 1e-3


class PsgMode(StrEnum):
    """What forgetting means here, hence what the update aims at."""

    STANDARD = "standard"
    """A whole label is retired: no forget case may get its own label any more."""
    SELECTIVE = "selective"
    """Part of a label, a device, a withdrawal: forget cases shall be answered as cases never seen, which an
    honest retrain still often gets right; driving them all to a wrong label would betray them."""


class ShrinkSearch(StrEnum):
    """The two searches of Boundary Shrink."""

    SINGLE_STEP = "single-step"
    """One signed step of the whole radius (FGSM)."""
    FIVE_STEPS = "five-steps"
    """Projected gradient descent: five equal signed steps."""


_MODE = (
    Option(
        name="mode",
        kind="string",
        default=PsgMode.STANDARD.value,
        choices=tuple(PsgMode),
        doc="`standard` drives every forget case off its own label: for a label that is retired as a whole. "
        "`selective` moves those nearest the boundary, until no more are answered as labelled than `held_out_share` "
        "says: for part of a label, a device, or withdrawn patients.",
    ),
    Option(
        name="held_out_share",
        kind="number",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        doc="For `selective`, and needed there: the share of forget cases that may stay answered as labelled, which is "
        "the champion's accuracy on never-seen cases like them. Measure it on validation cases, not on the holdout.",
    ),
)
_SEARCH = (
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
        name="search_steps",
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
)
_UPDATE = (
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
        name="retention_drop",
        kind="number",
        default=0.0,
        minimum=0.0,
        maximum=10.0,
        doc="How far the mean loss on retained cases may rise above the champion's on the same cases. Above it the "
        "weight of the retained cases rises, below it falls, at every step, between a tenth and ten times `remain`. "
        "At 0 the weight stays as `remain` says.",
    ),
    Option(
        name="replicate",
        kind="boolean",
        default=False,
        doc="The recipe of the reference code, mistakes included: wrong pixel units, one step, own labels where no "
        "boundary is crossed, no retained cases, and batch normalisation that learns from forget cases alone. For "
        "comparison only; of the other options only lambda, gamma, `steps` and `forget_batch` then count.",
    ),
)

PSG_OPTIONS = (*_MODE, *_SEARCH, *_UPDATE, *SIDE_BY_SIDE)

PERTURBED = (
    MethodInfo(
        name="psg",
        doc="Perturbed sign gradient. For every forgotten case the champion is searched, frozen, for the nearest other "
        "answer; the case is then learned with that answer beside retained cases. Measured on the synthetic hospital "
        "(a small network, 4 to 5 seeds): it never passed the gates of the claim `examples`, where most wrong labels "
        "of forgotten cases stayed reproduced. For a whole label withdrawn it passed `zero` and retention in 12 of 12 "
        "cells, also after batch normalisation was recalibrated, when only the layers after the convolutions moved; "
        "second-best labels, which need no search and are the same in 96 % of cases, did equally well there.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Nahass et al., Targeted Unlearning Using Perturbed Sign Gradient Methods With Applications On "
        "Medical Images, TMLR 2025",
        options=PSG_OPTIONS,
        target="maintain.unlearn.psg:Psg",
        foreseen=f"{FORESIGHT}:perturbed",
        consumes_forget=True,
    ),
    MethodInfo(
        name="boundary-shrink",
        doc="The ancestor of psg: one signed step, or five, across the champion's boundary give every forgotten case "
        "its label; the update steps on forgotten cases alone. No retained case holds the rest in place, so retention "
        "is left to the rate and to how few layers move. The default rate is far above its authors' 1e-5, which is for "
        "ten passes of all layers, and a tenth of psg's, at which this method ends below chance; so it may leave part "
        "of a whole label, where `steps` or `learning_rate` may be raised. A rival to compare with.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Chen et al., Boundary Unlearning, CVPR 2023",
        options=(
            Option(
                name="search",
                kind="string",
                default=ShrinkSearch.SINGLE_STEP.value,
                choices=tuple(ShrinkSearch),
                doc="One signed step of the whole radius, or five of 8/255 each.",
            ),
            Option(
                name="radius",
                kind="number",
                default=RADIUS,
                minimum=SMALLEST_RADIUS,
                maximum=LARGEST_RADIUS,
                doc="How far the search may change any one pixel, on a scale from black 0 to white 1.",
            ),
            UPDATE_STEPS,
            replace(LEARNING_RATE, default=SHRINK_RATE),
            LAYERS,
            Option(
                name="norms",
                kind="string",
                default="frozen",
                choices=("frozen", "mixed", "recalibrate"),
                doc="Statistics of batch normalisation: the champion's, learned from forgotten cases alone as the "
                "ancestor does (`mixed`: most of what it forgets is then their drift), or made anew at every look.",
            ),
            FORGET,
        ),
        target="maintain.unlearn.psg:BoundaryShrink",
        foreseen=f"{FORESIGHT}:shrinking",
        consumes_forget=True,
    ),
)
