"""Methods that learn forgotten cases' answers from models that never saw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from maintain.records import Scalar
from maintain.unlearn.table.row import FORESIGHT, SIDE_BY_SIDE, MethodInfo
from maintain.vocabulary import Claim

#: Of the feasibility study (section 3): about a fifth of a retrain's passes, at the rate that ended nearest.
_DEFAULTS: Mapping[str, Scalar] = {"steps": 90, "learning_rate": 0.05, "layers": "all", "remain": 2.0}

DISTILLING = (
    MethodInfo(
        name="distil-reference",
        doc="Forgotten cases are answered as the mean of the references does, retained ones as the champion did. "
        "It costs the references first, so it never saves time. It is meant to save churn, the decisions that a "
        "retrain would change on cases nobody withdrew: in the feasibility study it did, in the committed table its "
        "churn is a retrain's. For claim group, where a limit on churn is declared; measure it there.",
        claims=(Claim.GROUP,),
        citation="Hinton et al., Distilling the Knowledge in a Neural Network, 2015",
        options=tuple(replace(option, default=_DEFAULTS.get(option.name, option.default)) for option in SIDE_BY_SIDE),
        target="maintain.unlearn.distil:DistilReference",
        foreseen=f"{FORESIGHT}:side_by_side",
        consumes_forget=True,
    ),
)
