"""Two catalogues: one like the first release's, and one with methods and gates that come later."""

from __future__ import annotations

import pytest

from maintain.options import Option
from maintain.vocabulary import Claim, Situation
from maintain_policies import AutoChoice, Catalogues, GateEntry, GateSet, MethodEntry

MARGIN = Option(name="margin", kind="number", default=0.05, minimum=0.001, maximum=0.5, doc="Loss.", looser="higher")
ALPHA = Option(name="alpha", kind="number", default=0.025, minimum=0, maximum=0.2, doc="Level.")
CASES = Option(name="min_cases", kind="integer", default=100, minimum=1, doc="Cases in an arm.", looser="lower")
RETRAIN = MethodEntry(name="retrain", doc="From new weights.", claims=tuple(Claim))
PSG = MethodEntry(
    name="psg",
    doc="Gradients.",
    claims=(Claim.EXAMPLES, Claim.GROUP),
    options=(
        Option(name="radius", kind="number", default=0.1, minimum=0, doc="Radius."),
        Option(name="frozen", kind="boolean", default=True, doc="Freeze the stack."),
        Option(name="layers", kind="string", default="late", doc="Which layers."),
        Option(name="steps", kind="integer", default=10, minimum=1, maximum=99, doc="Steps."),
    ),
)
INTEGRITY = GateEntry(name="integrity", doc="Whole.", always=True)
RETENTION = GateEntry(name="retention", doc="Still works.", always=True, retention=True, options=(MARGIN, ALPHA))
NEVER_SAW = GateEntry(name="never-saw", doc="By digests.", claims=(Claim.NEVER_SAW,), forgetting=True)
REFERENCE = GateEntry(name="reference", doc="As a retrain.", claims=(Claim.GROUP,), forgetting=True, options=(CASES,))


@pytest.fixture
def catalogues() -> Catalogues:
    return Catalogues(
        methods=(RETRAIN,),
        gates=(INTEGRITY, NEVER_SAW, RETENTION),
        gate_sets=(GateSet(name="default@1", alias="default", gates=("integrity", "never-saw", "retention")),),
    )


@pytest.fixture
def rich() -> Catalogues:
    gates = (INTEGRITY, NEVER_SAW, REFERENCE, RETENTION)
    return Catalogues(
        methods=(RETRAIN, PSG),
        gates=gates,
        gate_sets=(
            GateSet(name="default@2", alias="default", gates=tuple(gate.name for gate in gates)),
            GateSet(name="default@1", gates=tuple(gate.name for gate in gates)),
        ),
        auto=(AutoChoice(situation=Situation.NEVER_SAW, methods=("retrain",)),),
    )
