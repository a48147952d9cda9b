"""The table of gates: names, options, claims and gate sets, without importing any gate.

The policy loader, the schema and the documentation read this table, so that asking what exists
never loads numpy. A default figure is changed by adding a new gate set, never in place: registered
versions name the set they were judged by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maintain.errors import UnknownNameError
from maintain.options import Option, fill_in
from maintain.records import GateRequest, Setting
from maintain.vocabulary import Claim

#: Loss of accuracy, balanced accuracy or AUROC that a hospital may accept: power.md §5, item R overall.
RETENTION_MARGIN = 0.05

#: One-sided level of the retention bound over all slots together: power.md §5, item R overall.
RETENTION_ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class GateInfo:
    """One gate: the claims it proves, whether it always runs, which side it guards, where its class is."""

    name: str
    doc: str
    claims: tuple[Claim, ...]
    always: bool
    forgetting: bool
    retention: bool
    options: tuple[Option, ...]
    target: str


@dataclass(frozen=True, slots=True)
class GateSet:
    """A versioned list of gates; the claim of a policy decides which of them a plan asks for."""

    name: str
    gates: tuple[str, ...]


GATES: Mapping[str, GateInfo] = {
    info.name: info
    for info in (
        GateInfo(
            name="integrity",
            doc=(
                "The weights changed and are finite, every digest agrees with the file it names, the run"
                " folder is complete, network and preprocessing are the champion's, and the loader handed out"
                " what the method declares: no forgotten case, nor an exact copy, among the retained ones."
            ),
            claims=tuple(Claim),
            always=True,
            forgetting=False,
            retention=False,
            options=(),
            target="maintain.gates.integrity:Integrity",
        ),
        GateInfo(
            name="never-saw",
            doc=(
                "Recomputed from what the loader counted: training began from an initialisation that the"
                " recipe's seed gives again, or from versions whose manifests exclude the forget group back to"
                " one, and handed out no case of the forget group, nor an exact copy."
            ),
            claims=(Claim.NEVER_SAW,),
            always=False,
            forgetting=True,
            retention=False,
            options=(),
            target="maintain.gates.never_saw:NeverSaw",
        ),
        GateInfo(
            name="retention",
            doc=(
                "On the holdout without the forget group the candidate is shown to be no worse than the"
                " champion by more than the margin: accuracy, balanced accuracy and AUROC, paired by case and"
                " clustered by patient."
            ),
            claims=tuple(Claim),
            always=True,
            forgetting=False,
            retention=True,
            options=(
                Option(
                    name="margin",
                    kind="number",
                    default=RETENTION_MARGIN,
                    minimum=0.001,
                    maximum=0.5,
                    doc="The largest loss that still counts as kept, as a difference (0.05 is five points).",
                    looser="higher",
                ),
                Option(
                    name="alpha",
                    kind="number",
                    default=RETENTION_ALPHA,
                    minimum=0.0001,
                    maximum=0.2,
                    doc="One-sided level of the bound, shared by the slots of a plan.",
                    looser="higher",
                ),
            ),
            target="maintain.gates.retention:Retention",
        ),
    )
}

GATE_SETS: Mapping[str, GateSet] = {
    "default@1": GateSet("default@1", ("integrity", "never-saw", "retention")),
}

#: A name without a version means the newest set at the time of planning; the plan records which.
GATE_SET_ALIASES: Mapping[str, str] = {"default": "default@1"}


def gate_info(name: str) -> GateInfo:
    """The gate of that name. Raises `UnknownNameError` with the nearest known ones."""
    if name not in GATES:
        raise UnknownNameError("gate", name, GATES)
    return GATES[name]


def gate_set(name: str) -> GateSet:
    """The gate set of that name or alias. Raises `UnknownNameError`."""
    resolved = GATE_SET_ALIASES.get(name, name)
    if resolved not in GATE_SETS:
        raise UnknownNameError("gate set", name, (*GATE_SETS, *GATE_SET_ALIASES))
    return GATE_SETS[resolved]


def gates_for(claim: Claim, name: str = "default") -> tuple[GateInfo, ...]:
    """The gates of a set that a claim asks for: those that always run, and those that prove it."""
    infos = (gate_info(gate) for gate in gate_set(name).gates)
    return tuple(info for info in infos if info.always or claim in info.claims)


def request_for(name: str, given: Iterable[Setting] = (), *, decisive: bool = True) -> GateRequest:
    """A request with every option resolved. Raises `UnknownNameError`, or `InputError` for a bad value."""
    info = gate_info(name)
    return GateRequest(name, fill_in(f"the gate {name}", info.options, given), decisive)
