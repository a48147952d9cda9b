"""Methods and gates: what a policy picks from the catalogues, with every figure resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maintain.records import GateRequest, MethodRequest, Scalar
from maintain.vocabulary import Claim, Situation
from maintain_policies.catalogues import Catalogues, GateEntry, GateSet, MethodEntry
from maintain_policies.language import unknown
from maintain_policies.options import Grid, combinations, pairs_of, read_grid, read_settings, resolved
from maintain_policies.reading import found_as
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Place
from maintain_policies.tree import Scalar as Word

#: The word that leaves the choice of methods to committed results.
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The methods of a policy in their order.

    `whole_label` are those that `auto` tries where the group is all there is of its labels, which only a plan can
    know; empty where a policy has one order.
    """

    methods: tuple[MethodEntry, ...]
    whole_label: tuple[MethodEntry, ...] = ()
    auto: bool = False

    @property
    def every(self) -> tuple[MethodEntry, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.methods, *self.whole_label)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The gates that a policy asks for, and which of its figures are looser than the set's own."""

    gate_set: str
    requests: tuple[GateRequest, ...]
    looser: tuple[str, ...]


def read_methods(node: Node | None, claim: Claim | None, catalogues: Catalogues, notes: Notes) -> Tried:
    """The methods in their order. One that cannot support the claim may stand before one that can."""
    if node is None:
        return Tried(methods=(catalogues.way_out,))
    if isinstance(node, Word) and node.text == AUTO:
        return _auto(node, claim, catalogues, notes)
    if not isinstance(node, Items) or not node.nodes:
        if not isinstance(node, Hole):
            message = f"unlearn.methods must be a list of methods or {AUTO}, found {_listed(node)}"
            notes.add(node.place, message)
        return Tried(methods=())
    methods: list[MethodEntry] = []
    for one in node.nodes:
        entry = _method(one, catalogues, notes)
        if entry is None:
            continue
        if entry in methods:
            notes.add(one.place, f"the method {entry.name!r} is listed twice")
        elif catalogues.way_out in methods:
            notes.add(one.place, f"{entry.name!r} is never tried: {catalogues.way_out.name!r} ends every search")
        methods.append(entry)
    _check_supported(methods, claim, catalogues, notes, node.place)
    return Tried(methods=tuple(dict.fromkeys(methods)))


def read_requests(
    node: Node | None, tried: Tried, catalogues: Catalogues, notes: Notes
) -> tuple[tuple[MethodRequest, ...], tuple[MethodRequest, ...]]:
    """What is tried, in order: every method, once for each combination of its options; and so for a whole label."""
    given: dict[str, Grid] = {}
    for key, value in pairs_of(node, notes, name="unlearn.options"):
        entry = _named_method(key, catalogues, notes)
        if entry is None:
            continue
        if tried.every and entry not in tried.every:
            notes.add(key.place, f"{key.text!r} is not among unlearn.methods, so its options do nothing")
        name = f"unlearn.options.{key.text}"
        given[key.text] = read_grid(value, entry.options, notes, name=name)
        _refuse_untried(value, entry, given[key.text], notes, name=name)
    return _requests(tried.methods, given), _requests(tried.whole_label, given)


def read_gates(
    node: Node | None, claim: Claim | None, catalogues: Catalogues, notes: Notes, *, elsewhere: Place
) -> Gates:
    """The gates with every figure; `elsewhere` is where a mistake stands if there is no such key."""
    already = len(notes.problems)
    gate_set, given = _asked_gates(node, catalogues, notes)
    base = gate_set or catalogues.gate_sets[0]
    if len(notes.problems) > already:
        gate_set = base
    if claim is None:
        return Gates(gate_set=base.name, requests=(), looser=())
    names = {*given, *(base.gates if gate_set is not None else ())}
    entries = [gate for gate in catalogues.gates if gate.name in names and gate.belongs_to(claim)]
    _check_complete(entries, claim, catalogues, notes, node.place if node is not None else elsewhere)
    for name, (place, _) in given.items():
        if all(entry.name != name for entry in entries):
            notes.add(place, f"the gate {name!r} does not belong to the claim {claim.value}")
    requests = tuple(
        GateRequest(entry.name, resolved(entry.options, _values(given, entry.name)), True) for entry in entries
    )
    looser = [line for entry in entries for line in _looser(entry, _values(given, entry.name), base)]
    return Gates(gate_set=base.name, requests=requests, looser=tuple(looser))


# --- private: methods ------------------------------------------------------------------------------


def _requests(methods: tuple[MethodEntry, ...], given: Mapping[str, Grid]) -> tuple[MethodRequest, ...]:
    return tuple(
        MethodRequest(entry.name, options)
        for entry in methods
        for options in combinations(entry.options, given.get(entry.name, {}))
    )


def _auto(node: Word, claim: Claim | None, catalogues: Catalogues, notes: Notes) -> Tried:
    """What was measured for the claim; for a group also where a whole label goes, since the cohort decides which."""
    if claim is None:
        return Tried(methods=())
    found = {choice.situation: choice.methods for choice in catalogues.auto if choice.situation.claim is claim}
    if any(one.claim is claim and one not in found for one in Situation):
        notes.add(node.place, f"no committed result says what {AUTO} means for the claim {claim.value}")
        return Tried(methods=())
    methods, whole_label = (
        tuple(entry for name in found.get(one, ()) if (entry := catalogues.method(name)) is not None)
        for one in (Situation(claim.value), Situation.WHOLE_LABEL)
    )
    return Tried(methods=methods, whole_label=whole_label, auto=True)


def _check_supported(
    methods: list[MethodEntry], claim: Claim | None, catalogues: Catalogues, notes: Notes, place: Place
) -> None:
    """A search that leaves every method it is given is a mistake of the policy, and has its place there."""
    if not methods or claim is None or any(claim in entry.claims for entry in methods):
        return
    names = ", ".join(entry.name for entry in methods)
    notes.add(place, f"{names} cannot support the claim {claim.value}; end the list with {catalogues.way_out.name}")


def _refuse_untried(node: Node, entry: MethodEntry, grid: Grid, notes: Notes, *, name: str) -> None:
    """A model trained anew is not measured before it goes on, so that a second way to train it is never tried."""
    if Claim.NEVER_SAW not in entry.claims or not isinstance(node, Pairs):
        return
    for key, value in node.pairs:
        if len(grid.get(key.text, ())) > 1:
            message = f"only the first of {name}.{key.text} is ever tried: {entry.name} goes on without a look"
            notes.add(value.place, message)


def _method(node: Node, catalogues: Catalogues, notes: Notes) -> MethodEntry | None:
    if not isinstance(node, Word):
        if not isinstance(node, Hole):
            notes.add(node.place, f"a method is named by a word, found {found_as(node)}")
        return None
    if node.text == AUTO:
        notes.add(node.place, f"{AUTO} stands alone: write `methods: {AUTO}`, or name the methods")
        return None
    return _named_method(node, catalogues, notes)


def _named_method(word: Word, catalogues: Catalogues, notes: Notes) -> MethodEntry | None:
    entry = catalogues.method(word.text)
    if entry is None:
        known = tuple(method.name for method in catalogues.methods)
        notes.add(word.place, unknown("method", word.text, known))
    return entry


# --- private: gates --------------------------------------------------------------------------------

_Given = dict[str, tuple[Place, dict[str, Scalar]]]


def _asked_gates(node: Node | None, catalogues: Catalogues, notes: Notes) -> tuple[GateSet | None, _Given]:
    """The gate set, if one is named, and the gates named beside it with what the policy says of them."""
    if node is None:
        return catalogues.gate_sets[0], {}
    if isinstance(node, Word):
        gate_set = catalogues.gate_set(node.text)
        if gate_set is None:
            notes.add(node.place, unknown("gate set", node.text, _set_names(catalogues)))
        return gate_set or catalogues.gate_sets[0], {}
    if not isinstance(node, Items) or not node.nodes:
        if not isinstance(node, Hole):
            notes.add(node.place, f"gates must be a gate set or a list of gates, found {_listed(node)}")
        return catalogues.gate_sets[0], {}
    gate_set = None
    given: _Given = {}
    for one in node.nodes:
        if isinstance(one, Word) and (named := catalogues.gate_set(one.text)) is not None:
            if gate_set is not None:
                notes.add(one.place, "one gate set is enough")
            gate_set = named
        else:
            _read_gate(one, catalogues, notes, given)
    return gate_set, given


def _read_gate(node: Node, catalogues: Catalogues, notes: Notes, given: _Given) -> None:
    if isinstance(node, Items):
        notes.add(node.place, "a gate is a name, or {NAME: {OPTION: VALUE}}, found a list")
        return
    named: tuple[tuple[Word, Node | None], ...] = ()
    if isinstance(node, Word):
        named = ((node, None),)
    elif isinstance(node, Pairs):
        named = node.pairs
    for word, value in named:
        entry = _named_gate(word, catalogues, notes)
        if entry is not None and entry.name in given:
            notes.add(word.place, f"the gate {entry.name!r} is listed twice")
        elif entry is not None:
            settings = read_settings(value, entry.options, notes, name=f"gates.{entry.name}")
            given[entry.name] = (word.place, settings)


def _named_gate(word: Word, catalogues: Catalogues, notes: Notes) -> GateEntry | None:
    entry = catalogues.gate(word.text)
    if entry is None:
        known = (*_set_names(catalogues), *(gate.name for gate in catalogues.gates))
        notes.add(word.place, unknown("gate", word.text, known))
    return entry


def _check_complete(entries: list[GateEntry], claim: Claim, catalogues: Catalogues, notes: Notes, place: Place) -> None:
    missing = [gate.name for gate in catalogues.gates if gate.needed_by(claim) and gate not in entries]
    if missing:
        notes.add(place, f"the claim {claim.value} is not judged without {', '.join(missing)}; add `default`")
    if not any(entry.retention for entry in (*entries, *map(catalogues.gate, missing)) if entry is not None):
        notes.add(place, "no gate judges retention, so a ruined model would pass")


def _looser(entry: GateEntry, given: dict[str, Scalar], base: GateSet) -> list[str]:
    lines = []
    for option in entry.options:
        value, default = given.get(option.name, option.default), option.default
        if option.looser is None or isinstance(value, str) or isinstance(default, str):
            continue
        if (value > default) if option.looser == "higher" else (value < default):
            lines.append(f"{entry.name}.{option.name} is {value:g}; {base.name} asks for {default:g}")
    return lines


def _set_names(catalogues: Catalogues) -> tuple[str, ...]:
    return tuple(name for entry in catalogues.gate_sets for name in (entry.alias, entry.name) if name)


def _values(given: _Given, name: str) -> dict[str, Scalar]:
    return given[name][1] if name in given else {}


def _listed(node: Node) -> str:
    return "an empty list" if isinstance(node, Items) else found_as(node)
