"""Methods that train from new weights, so that every claim holds by construction."""

from __future__ import annotations

from maintain.unlearn.table.row import MethodInfo
from maintain.vocabulary import Claim

ANEW = (
    MethodInfo(
        name="retrain",
        doc="Repeats the model's own recipe from new weights on the retained cases only. Forget cases are "
        "never loaded, so every claim holds by construction; it costs a full training.",
        claims=(Claim.NEVER_SAW, Claim.EXAMPLES, Claim.GROUP),
        citation="Bourtoule et al., Machine Unlearning, IEEE Symposium on Security and Privacy 2021 "
        "(retraining as the exact reference)",
        options=(),
        target="maintain.unlearn.retrain:Retrain",
        consumes_forget=False,
    ),
)
