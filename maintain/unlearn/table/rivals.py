"""Published rivals of the boundary search, each as its paper means it and not as its code happened to run."""

from __future__ import annotations

from dataclasses import replace

from maintain.options import Option
from maintain.unlearn.table.row import (
    FORESIGHT,
    FORGET,
    LAYERS,
    LEARNING_RATE,
    LOOK_STEPS,
    NORMS,
    RETAIN,
    SIDE_BY_SIDE,
    STEPS,
    MethodInfo,
)
from maintain.vocabulary import Claim

#: Weight of the ascent beside `remain`, and its roof: 6 nats for three labels (feasibility study, section 7).
ASCENT, CAP = 0.3, 5.5
#: SCRUB's own figures for small forget sets (its authors' code): KL beside cross-entropy, and the temperature.
SCRUB_ALPHA, SCRUB_GAMMA, SCRUB_TEMPERATURE = 0.5, 1.0, 4.0
#: One max-step in five, as 4 of 20 (feasibility study, section 2).
SCRUB_MAX_STEPS = 2
#: SalUn's own share; its users report that a tenth does not forget.
SALUN_SHARE = 0.5

RIVALS = (
    MethodInfo(
        name="neggrad-plus",
        doc="Gradient ascent on forgotten cases beside descent on retained ones. Ascent alone has no end, so a "
        "forgotten case whose loss reached a cap pushes no more. In the feasibility study it passed all gates of "
        "`examples` not once in five hospitals; on a whole label it passed `zero` and retention in 12 of 12 cells, "
        "after recalibration too, where the late layers alone moved, and in none to 4 where all did.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023 (NegGrad+ as a baseline)",
        options=(
            *SIDE_BY_SIDE,
            Option(
                name="ascent",
                kind="number",
                default=ASCENT,
                minimum=0.0001,
                maximum=1000.0,
                doc="Weight of the ascent on forgotten cases, beside `remain`.",
            ),
            Option(
                name="cap",
                kind="number",
                default=CAP,
                minimum=1.0,
                maximum=100.0,
                doc="Most that a forgotten case's loss counts, in multiples of an even guess's, ln(labels).",
            ),
        ),
        target="maintain.unlearn.neggrad:NegGradPlus",
        foreseen=f"{FORESIGHT}:side_by_side",
        consumes_forget=True,
    ),
    MethodInfo(
        name="scrub",
        doc="A student leaves its teacher, the champion, on forgotten cases (max-steps) and stays with it and with the "
        "labels on retained ones (min-steps); of the looks between, the one nearest to the target on validation is "
        "taken, which is the rewind of SCRUB+R. In the feasibility study it passed all gates of `examples` not once "
        "in five hospitals; in one some checkpoint on the way would have, recalibration aside. A teacher that is the "
        "student itself, as in one published comparison, makes it plain fine-tuning.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023 (SCRUB and SCRUB+R)",
        options=(
            replace(
                STEPS,
                doc="Optimiser steps, all of which are taken. Where their max-steps would not hand out every forgotten "
                "case, it takes as many rounds as do, and half as many of min-steps alone after them.",
            ),
            LEARNING_RATE,
            LAYERS,
            NORMS,
            FORGET,
            RETAIN,
            Option(
                name="alpha",
                kind="number",
                default=SCRUB_ALPHA,
                minimum=0.0,
                maximum=1000.0,
                doc="Weight of the divergence from the teacher on retained cases.",
            ),
            Option(
                name="gamma",
                kind="number",
                default=SCRUB_GAMMA,
                minimum=0.0001,
                maximum=1000.0,
                doc="Weight of the retained cases' own labels; without them the student never leaves the teacher.",
            ),
            Option(
                name="temperature",
                kind="number",
                default=SCRUB_TEMPERATURE,
                minimum=0.1,
                maximum=100.0,
                doc="By what outputs are divided before they are compared.",
            ),
            Option(
                name="max_steps",
                kind="integer",
                default=SCRUB_MAX_STEPS,
                minimum=1,
                maximum=LOOK_STEPS - 2,
                doc=f"Max-steps of every round of {LOOK_STEPS} steps; a look comes after each round.",
            ),
        ),
        target="maintain.unlearn.scrub:Scrub",
        foreseen=f"{FORESIGHT}:rounds",
        consumes_forget=True,
    ),
    MethodInfo(
        name="salun",
        doc="Random labels, learned by the most salient weights alone: those of the layers that move whose summed "
        "gradient on the forgotten cases is largest, ranked together. The others stay the champion's bit for bit. In "
        "the feasibility study it passed all gates of `examples` not once in five hospitals, as random labels "
        "without the mask. Its authors' code let masked weights move by weight decay until February 2026, so "
        "published figures are of another method.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Fan et al., SalUn: Empowering Machine Unlearning via Gradient-based Weight Saliency, ICLR 2024",
        options=(
            *SIDE_BY_SIDE,
            Option(
                name="share",
                kind="number",
                default=SALUN_SHARE,
                minimum=0.0001,
                maximum=1.0,
                doc="Share of the weights of the layers that move, by saliency, that may move.",
            ),
        ),
        target="maintain.unlearn.salun:SalUn",
        foreseen=f"{FORESIGHT}:side_by_side",
        consumes_forget=True,
    ),
)
