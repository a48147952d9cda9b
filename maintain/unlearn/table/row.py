"""The form of a row of the table of methods, and the options that several methods share."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.options import Option
from maintain.vocabulary import Claim, Head


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """One method: what it may claim, what it needs, and where it is (`module:class`).

    `consumes_forget` says whether the loader must have handed out every forget case, or none; `heads` are those
    that its losses are defined for. `foreseen` names, as `target` does, the function that says without torch what it
    would take.
    """

    name: str
    doc: str
    claims: tuple[Claim, ...]
    citation: str
    options: tuple[Option, ...]
    target: str
    consumes_forget: bool
    heads: tuple[Head, ...] = (Head.SOFTMAX,)
    foreseen: str = ""


#: Where the functions stand that foresee a family of methods.
FORESIGHT = "maintain.unlearn.foresight"


#: Cases a step, forgotten and retained: one concatenated batch of 128 (feasibility study, sections 2 and 7).
FORGET_BATCH, RETAIN_BATCH = 32, 96
#: Steps between two looks at validation (feasibility study, section 5).
LOOK_STEPS = 10

STEPS = Option(
    name="steps",
    kind="integer",
    default=80,
    minimum=1,
    maximum=100_000,
    doc="Most optimiser steps; training stops at the first look that reaches the target.",
)
LEARNING_RATE = Option(
    name="learning_rate", kind="number", default=0.01, minimum=1e-6, maximum=10.0, doc="The rate of every step."
)
REMAIN = Option(
    name="remain",
    kind="number",
    default=1.0,
    minimum=0.0,
    maximum=1000.0,
    doc="Weight of the loss on retained cases beside the loss on forgotten ones (phi in the paper).",
)
LAYERS = Option(
    name="layers",
    kind="string",
    default="late",
    choices=("all", "late", "head"),
    doc="Which layers move: all, the last third of the stages, or the head alone.",
)
NORMS = Option(
    name="norms",
    kind="string",
    default="frozen",
    choices=("frozen", "mixed", "recalibrate"),
    doc="Statistics of batch normalisation: the champion's, learned from the mixed batch, or made anew at every look.",
)
FORGET = Option(
    name="forget_batch", kind="integer", default=FORGET_BATCH, minimum=1, maximum=4096, doc="Forgotten cases a step."
)
RETAIN = Option(
    name="retain_batch", kind="integer", default=RETAIN_BATCH, minimum=1, maximum=4096, doc="Retained cases a step."
)

#: What every method that steps on forgotten and retained cases side by side may be told.
SIDE_BY_SIDE = (STEPS, LEARNING_RATE, REMAIN, LAYERS, NORMS, FORGET, RETAIN)
