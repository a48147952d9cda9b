"""What a policy may name: methods and gates, as the composition root hands them down.

The floors forbid this package to import the rooms that own them; it sees their tables as values.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.options import Option
from maintain.vocabulary import Claim, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodEntry:
    """One way to unlearn, and the claims it can support."""

    name: str
    doc: str
    claims: tuple[Claim, ...]
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEntry:
    """One gate: the claims it judges, or `always`; those it reports on; whether it judges forgetting or retention."""

    name: str
    doc: str
    claims: tuple[Claim, ...] = ()
    always: bool = False
    forgetting: bool = False
    retention: bool = False
    options: tuple[Option, ...] = ()
    reported: tuple[Claim, ...] = ()

    def needed_by(self, claim: Claim) -> bool:
        """Whether a policy with this claim is not judged without the gate."""
        return self.always or claim in self.claims

    def belongs_to(self, claim: Claim) -> bool:
        """Whether the gate is run for this claim, to judge or to report."""
        return self.needed_by(claim) or claim in self.reported


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSet:
    """A versioned list of gates with their figures; `alias` is the name that means it today."""

    name: str
    gates: tuple[str, ...]
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoChoice:
    """What `methods: auto` tries in one situation; follows committed results only."""

    situation: Situation
    methods: tuple[str, ...]


#: The method that satisfies every claim by construction: every catalogue must have it.
WAY_OUT = "retrain"

#: Only a retrain is never-saw by construction, so nothing needs to be measured to choose it.
AUTO = (AutoChoice(situation=Situation.NEVER_SAW, methods=(WAY_OUT,)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogues:
    """Everything that a policy may name. The first gate set holds the default figures."""

    methods: tuple[MethodEntry, ...]
    gates: tuple[GateEntry, ...]
    gate_sets: tuple[GateSet, ...]
    auto: tuple[AutoChoice, ...] = AUTO

    def __post_init__(self) -> None:
        for kind, names in (
            ("method", [method.name for method in self.methods]),
            ("gate", [gate.name for gate in self.gates]),
            ("gate set", [gate_set.name for gate_set in self.gate_sets]),
        ):
            if not names or len(set(names)) != len(names):
                raise ValueError(f"a catalogue needs at least one {kind}, each under its own name")
        known = {gate.name for gate in self.gates}
        if any(not known.issuperset(gate_set.gates) for gate_set in self.gate_sets):
            raise ValueError("a gate set names a gate that the catalogue does not have")
        if self.method(WAY_OUT) is None:
            raise ValueError(f"a catalogue needs the method {WAY_OUT}, the way out of every search")
        for choice in self.auto:
            chosen = [self.method(name) for name in choice.methods]
            if not chosen or any(method is None or choice.situation.claim not in method.claims for method in chosen):
                raise ValueError(f"a catalogue has no use for `auto` of {choice.situation} with {choice.methods}")

    @property
    def way_out(self) -> MethodEntry:
        """The method that is tried where a policy names none."""
        return next(method for method in self.methods if method.name == WAY_OUT)

    def method(self, name: str) -> MethodEntry | None:
        """The method of that name, if this version has it."""
        return next((method for method in self.methods if method.name == name), None)

    def gate(self, name: str) -> GateEntry | None:
        """The gate of that name, if this version has it."""
        return next((gate for gate in self.gates if gate.name == name), None)

    def gate_set(self, name: str) -> GateSet | None:
        """The gate set of that name or alias, if this version has it."""
        return next((entry for entry in self.gate_sets if name in (entry.name, entry.alias)), None)

    def provable(self, claim: Claim) -> bool:
        """Whether any gate of this version judges forgetting for the claim."""
        return any(gate.forgetting and claim in gate.claims for gate in self.gates)
