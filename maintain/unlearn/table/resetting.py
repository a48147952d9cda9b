"""Methods that throw part of the weights away and learn it anew from retained cases alone."""

from __future__ import annotations

from maintain.options import Option
from maintain.unlearn.table.row import FORESIGHT, MethodInfo
from maintain.vocabulary import Claim

#: Of the feasibility study's sixty steps, three of five stages and Beta(.6, .6) (section 5).
REFIT_STEPS, RESET_SHARE, MIXUP, REFIT_RATE, REFIT_BATCH = 60, 0.6, 0.6, 0.1, 128

_STEPS = Option(
    name="steps",
    kind="integer",
    default=REFIT_STEPS,
    minimum=1,
    maximum=100_000,
    doc="Optimiser steps on retained cases; all are taken, and the look nearest to the target is kept.",
)
_RATE = Option(
    name="learning_rate",
    kind="number",
    default=REFIT_RATE,
    minimum=1e-6,
    maximum=10.0,
    doc="The rate of the first half of the steps; then it falls to zero in a straight line.",
)
_BATCH = Option(
    name="retain_batch", kind="integer", default=REFIT_BATCH, minimum=2, maximum=4096, doc="Retained cases a step."
)
_MIXUP = Option(
    name="mixup",
    kind="number",
    default=MIXUP,
    minimum=0.0,
    maximum=10.0,
    doc="Images and labels are mixed in pairs, by shares from Beta(mixup, mixup); 0 leaves them as they are.",
)
_NORMS = Option(
    name="norms",
    kind="string",
    default="mixed",
    choices=("frozen", "mixed", "recalibrate"),
    doc="Statistics of batch normalisation: learned from retained batches, as they were, or made anew at every look.",
)
_DECAY = Option(
    name="weight_decay", kind="number", default=5e-4, minimum=0.0, maximum=1.0, doc="Pull of weights to zero."
)
_REFIT = (_STEPS, _RATE, _BATCH, _MIXUP, _NORMS, _DECAY)

RESETTING = (
    MethodInfo(
        name="reset-refit",
        doc="The late stages of the champion are thrown away and learned anew from retained cases, briefly: images and "
        "labels mixed in pairs, the rate held and then annealed, the checkpoint chosen on validation. Forget cases "
        "are never loaded. What the early stages learned from them stays, so it never supports never-saw.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Goel et al., Towards Adversarial Evaluations for Inexact Machine Unlearning, 2022 (EU-k); "
        "Zhang et al., mixup, ICLR 2018",
        options=(
            Option(
                name="reset_share",
                kind="number",
                default=RESET_SHARE,
                minimum=0.01,
                maximum=1.0,
                doc="Share of the stages that is reset, counted from the head and rounded; at least the head.",
            ),
            *_REFIT,
        ),
        target="maintain.unlearn.resetting:ResetRefit",
        foreseen=f"{FORESIGHT}:refit",
        consumes_forget=False,
    ),
    MethodInfo(
        name="warm-restart",
        doc="The champion goes on at several times its own peak rate on retained cases, mixed in pairs and annealed: "
        "what it knew by heart is overwritten, what it understands is found again. Forget cases are never loaded.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Loshchilov and Hutter, SGDR, ICLR 2017; Ash and Adams, Warm-Starting Neural Network Training, 2020",
        options=(
            Option(
                name="steps",
                kind="integer",
                default=96,
                minimum=1,
                maximum=100_000,
                doc=_STEPS.doc,
            ),
            Option(
                name="learning_rate",
                kind="number",
                default=0.2,
                minimum=1e-6,
                maximum=10.0,
                doc=_RATE.doc,
            ),
            *_REFIT[2:],
        ),
        target="maintain.unlearn.resetting:WarmRestart",
        foreseen=f"{FORESIGHT}:refit",
        consumes_forget=False,
    ),
    MethodInfo(
        name="msg",
        doc="Weights whose gradient tells forgotten from retained cases least are drawn anew, layer by layer, and the "
        "whole is refitted on retained cases, drawn weights ten times as fast as the others. Forget cases are loaded "
        "once, for those gradients.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Second place of the NeurIPS 2023 unlearning challenge; Cadet et al., Deep Unlearn, 2024",
        options=(
            Option(
                name="draw_share",
                kind="number",
                default=0.5,
                minimum=0.01,
                maximum=0.99,
                doc="Share of each layer's weights that is drawn anew.",
            ),
            Option(
                name="slow",
                kind="number",
                default=0.1,
                minimum=0.0,
                maximum=1.0,
                doc="What the gradients of weights that were not drawn anew are multiplied with.",
            ),
            *_REFIT,
        ),
        target="maintain.unlearn.msg:Msg",
        foreseen=f"{FORESIGHT}:refit",
        consumes_forget=True,
    ),
)
