"""Methods that give forgotten cases other labels and train on them beside retained cases."""

from __future__ import annotations

from maintain.unlearn.table.row import FORESIGHT, SIDE_BY_SIDE, MethodInfo
from maintain.vocabulary import Claim

RELABELLING = (
    MethodInfo(
        name="random-label",
        doc="Every forgotten case gets a label drawn at random among the others, once, and is learned with it beside "
        "retained cases. The control of every other relabelling method: what a search for better labels is worth "
        "is what it gains on this one.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020 (random labels as a baseline)",
        options=SIDE_BY_SIDE,
        target="maintain.unlearn.relabel:RandomLabel",
        foreseen=f"{FORESIGHT}:side_by_side",
        consumes_forget=True,
    ),
    MethodInfo(
        name="second-best-label",
        doc="Every forgotten case gets the label that the champion finds likeliest after its own, and is learned with "
        "it beside retained cases. It needs no search; in the feasibility study it equalled the labels that the "
        "boundary search finds in 96 % of cases.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Chen et al., Boundary Unlearning, CVPR 2023 (nearest label), without its search",
        options=SIDE_BY_SIDE,
        target="maintain.unlearn.relabel:SecondBestLabel",
        foreseen=f"{FORESIGHT}:side_by_side",
        consumes_forget=True,
    ),
)
