"""Methods and gates as the policy language may name them: two tables, seen through one value.

The rooms that own the tables and the policy language do not know each other; this is where the
command line hands one to the other. Torch-free.
"""

from __future__ import annotations

from maintain.gates.options import GATE_SET_ALIASES, GATE_SETS, GATES
from maintain.unlearn.options import METHODS
from maintain.unlearn.table.measured import measured_choices
from maintain_policies import AUTO, AutoChoice, Catalogues, GateEntry, GateSet, MethodEntry


def catalogues() -> Catalogues:
    """Everything that a policy may name in this version."""
    aliases = {name: alias for alias, name in GATE_SET_ALIASES.items()}
    return Catalogues(
        methods=tuple(
            MethodEntry(name=info.name, doc=info.doc, claims=info.claims, options=info.options)
            for info in METHODS.values()
        ),
        gates=tuple(
            GateEntry(
                name=info.name,
                doc=info.doc,
                claims=info.claims,
                always=info.always,
                forgetting=info.forgetting,
                retention=info.retention,
                reported=info.reported,
                options=info.options,
            )
            for info in GATES.values()
        ),
        gate_sets=tuple(
            GateSet(name=entry.name, gates=entry.gates, alias=aliases.get(entry.name)) for entry in GATE_SETS.values()
        ),
        auto=(*AUTO, *(AutoChoice(situation=one, methods=tried) for one, tried in measured_choices().items())),
    )
