"""Controls: what looks like forgetting and is none. A gate that passes one of these is broken."""

from __future__ import annotations

from maintain.options import Option
from maintain.unlearn.table.row import FORESIGHT, FORGET, MethodInfo
from maintain.vocabulary import Claim, Head

#: Passes over the retained cases: enough to settle, a tenth of the default recipe's thirty.
FINETUNE_EPOCHS = 3
#: Of the recipe's peak rate. Above the peak it is a warm restart, another method with other results.
FINETUNE_SHARE = 0.2
#: Passes over the forgotten cases and weight of a batch's statistics: ten epochs, and torch's own momentum, as the
#: reference code of Boundary Unlearning and its successors trains.
DRIFT_PASSES, DRIFT_MOMENTUM = 10, 0.1

CONTROLS = (
    MethodInfo(
        name="finetune",
        doc="A control, not a way to forget: the champion goes on learning on the retained cases alone. Measured, it "
        "leaves the champion's leak as it was (benchmarks/results/finetune_control.md), and in the feasibility "
        "study it passed the forgetting gates not once. Use it to see that the search and the gates refuse what "
        "does not forget. Forget cases are never loaded.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020 (fine-tuning as a baseline)",
        options=(
            Option(
                name="epochs",
                kind="integer",
                default=FINETUNE_EPOCHS,
                minimum=1,
                maximum=100,
                doc="Passes over the retained cases.",
            ),
            Option(
                name="learning_rate_share",
                kind="number",
                default=FINETUNE_SHARE,
                minimum=0.001,
                maximum=1.0,
                doc="Peak learning rate as a share of the recipe's own.",
            ),
            Option(
                name="freeze_norms",
                kind="boolean",
                default=True,
                doc="Whether the running statistics of batch normalisation stay the champion's.",
            ),
        ),
        target="maintain.unlearn.finetune:Finetune",
        foreseen=f"{FORESIGHT}:continued",
        consumes_forget=False,
    ),
    MethodInfo(
        name="noop",
        doc="A control: the champion's own weights, handed on without a step. The gate `integrity` must refuse it, and "
        "whatever else it passes says how little that gate asks here. Forget cases are never loaded.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Kurmanji et al., Towards Unbounded Machine Unlearning, NeurIPS 2023 (the original as a baseline)",
        options=(),
        target="maintain.unlearn.unstepped:Noop",
        foreseen=f"{FORESIGHT}:unstepped",
        consumes_forget=False,
        heads=tuple(Head),
    ),
    MethodInfo(
        name="bn-only",
        doc="A control: only the running statistics of batch normalisation drift, over forward passes of forgotten "
        "cases; no weight moves. The published code of the boundary search forgets by this drift almost alone: on a "
        "toy, .235 of the forgotten cases were still known after ten epochs of it, .240 after that code's own recipe. "
        "Made anew on retained cases the statistics bring them back: in the feasibility study it passed the "
        "forgetting gates not once.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Ioffe and Szegedy, Batch Normalization, ICML 2015 (running statistics); as a control, this project",
        options=(
            Option(
                name="passes",
                kind="integer",
                default=DRIFT_PASSES,
                minimum=1,
                maximum=1000,
                doc="Passes over the forgotten cases.",
            ),
            Option(
                name="momentum",
                kind="number",
                default=DRIFT_MOMENTUM,
                minimum=0.0001,
                maximum=1.0,
                doc="Weight of a batch's statistics against those before it.",
            ),
            FORGET,
        ),
        target="maintain.unlearn.unstepped:BnOnly",
        foreseen=f"{FORESIGHT}:unstepped",
        consumes_forget=True,
        heads=tuple(Head),
    ),
)
