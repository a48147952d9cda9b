"""Controls: what looks like forgetting and is none. A gate that passes one of these is broken."""

from __future__ import annotations

from maintain.options import Option
from maintain.unlearn.table.row import MethodInfo
from maintain.vocabulary import Claim

#: Passes over the retained cases: enough to settle, a tenth of the default recipe's thirty.
FINETUNE_EPOCHS = 3
#: Of the recipe's peak rate. Above the peak it is a warm restart, another method with other results.
FINETUNE_SHARE = 0.2

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
        consumes_forget=False,
    ),
)
