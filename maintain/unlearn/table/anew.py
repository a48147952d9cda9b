"""Methods that train from new weights, so that every claim holds by construction."""

from __future__ import annotations

from maintain.options import Option
from maintain.unlearn.table.row import FORESIGHT, MethodInfo
from maintain.vocabulary import Claim

#: A fifth of the default recipe's thirty passes (feasibility study, section 2).
SHORT_EPOCHS = 6

ANEW = (
    MethodInfo(
        name="short-retrain",
        doc="Repeats the model's own recipe from new weights on the retained cases only, with few passes and its whole "
        "schedule in them. Never-saw by construction at a fraction of a retrain's cost; on small problems it kept "
        "more than champions that know their cases by heart. The version's recipe is then the short one.",
        claims=(Claim.NEVER_SAW, Claim.EXAMPLES, Claim.GROUP),
        citation="Prechelt, Early Stopping, but when?, 1998; measured in benchmarks/results/method_table.md",
        options=(
            Option(
                name="epochs",
                kind="integer",
                default=SHORT_EPOCHS,
                minimum=1,
                maximum=1000,
                doc="Passes over the retained cases; never more than the recipe's own.",
            ),
        ),
        target="maintain.unlearn.short_retrain:ShortRetrain",
        foreseen=f"{FORESIGHT}:anew",
        consumes_forget=False,
    ),
    MethodInfo(
        name="retrain",
        doc="Repeats the model's own recipe from new weights on the retained cases only. Forget cases are "
        "never loaded, so every claim holds by construction; it costs a full training.",
        claims=(Claim.NEVER_SAW, Claim.EXAMPLES, Claim.GROUP),
        citation="Bourtoule et al., Machine Unlearning, IEEE Symposium on Security and Privacy 2021 "
        "(retraining as the exact reference)",
        options=(),
        target="maintain.unlearn.retrain:Retrain",
        foreseen=f"{FORESIGHT}:anew",
        consumes_forget=False,
    ),
)
