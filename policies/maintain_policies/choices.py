"""Methods, options and gates: what a policy picks from the catalogues, with every figure resolved."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.options import Option
from maintain.records import GateRequest, Scalar, Setting
from maintain.vocabulary import Claim
from maintain_policies.catalogues import Catalogues, GateEntry, GateSet, MethodEntry
from maintain_policies.language import unknown
from maintain_policies.reading import found_as, read_boolean, read_integer, read_number, read_text
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Place
from maintain_policies.tree import Scalar as Word
from maintain_policies.where import read_fields

#: The word that leaves the choice of methods to committed results.
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The gates that a policy asks for, and which of its figures are looser than the set's own."""

    gate_set: str
    requests: tuple[GateRequest, ...]
    looser: tuple[str, ...]


def read_methods(
    node: Node | None, claim: Claim | None, catalogues: Catalogues, notes: Notes
) -> tuple[MethodEntry, ...]:
    """The methods in their order. One that cannot support the claim may stand before one that can."""
    if node is None:
        return (catalogues.way_out,)
    if isinstance(node, Word) and node.text == AUTO:
        return _auto(node, claim, catalogues, notes)
    if not isinstance(node, Items) or not node.nodes:
        if not isinstance(node, Hole):
            message = f"unlearn.methods must be a list of methods or {AUTO}, found {_listed(node)}"
            notes.add(node.place, message)
        return ()
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
    return tuple(dict.fromkeys(methods))


def read_options(
    node: Node | None, methods: tuple[MethodEntry, ...], catalogues: Catalogues, notes: Notes
) -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """Every option of every method: what the policy says, else the catalogue."""
    given: dict[str, dict[str, Scalar]] = {}
    for key, value in _pairs(node, notes, name="unlearn.options"):
        entry = _named_method(key, catalogues, notes)
        if entry is None:
            continue
        if methods and entry not in methods:
            notes.add(key.place, f"{key.text!r} is not among unlearn.methods, so its options do nothing")
        name = f"unlearn.options.{key.text}"
        given[key.text] = _settings(value, entry.options, notes, name=name)
    return tuple(
        (entry.name, _resolved(entry.options, given.get(entry.name, {}))) for entry in methods if entry.options
    )


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
        GateRequest(entry.name, _resolved(entry.options, _values(given, entry.name)), True) for entry in entries
    )
    looser = [line for entry in entries for line in _looser(entry, _values(given, entry.name), base)]
    return Gates(gate_set=base.name, requests=requests, looser=tuple(looser))


# --- private: methods ------------------------------------------------------------------------------


def _auto(node: Word, claim: Claim | None, catalogues: Catalogues, notes: Notes) -> tuple[MethodEntry, ...]:
    if claim is None:
        return ()
    row = next((choice for choice in catalogues.auto if choice.claim is claim), None)
    if row is None:
        notes.add(node.place, f"no committed result says what {AUTO} means for the claim {claim.value}")
        return ()
    return tuple(entry for name in row.methods if (entry := catalogues.method(name)) is not None)


def _check_supported(
    methods: list[MethodEntry], claim: Claim | None, catalogues: Catalogues, notes: Notes, place: Place
) -> None:
    """A search that leaves every method it is given is a mistake of the policy, and has its place there."""
    if not methods or claim is None or any(claim in entry.claims for entry in methods):
        return
    names = ", ".join(entry.name for entry in methods)
    notes.add(place, f"{names} cannot support the claim {claim.value}; end the list with {catalogues.way_out.name}")


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
            settings = _settings(value, entry.options, notes, name=f"gates.{entry.name}")
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


# --- private: options ------------------------------------------------------------------------------


def _settings(
    node: Node | None,
    entries: tuple[Option, ...],
    notes: Notes,
    *,
    name: str,
) -> dict[str, Scalar]:
    known = {entry.name: entry for entry in entries}
    values: dict[str, Scalar] = {}
    for key, value in _pairs(node, notes, name=name):
        if key.text in known:
            read = _read_option(value, known[key.text], notes, name=f"{name}.{key.text}")
            if read is not None:
                values[key.text] = read
        else:
            notes.add(key.place, unknown(f"option of {name}", key.text, tuple(known)))
    return values


def _read_option(node: Node, entry: Option, notes: Notes, *, name: str) -> Scalar | None:
    match entry.kind:
        case "boolean":
            return read_boolean(node, notes, name=name)
        case "integer":
            return read_integer(node, notes, name=name, minimum=entry.minimum, maximum=entry.maximum)
        case "number":
            return read_number(node, notes, name=name, minimum=entry.minimum, maximum=entry.maximum)
        case "string":
            return _read_word(node, entry, notes, name=name)
        case "fields":
            return read_fields(node, notes, name=name)


def _read_word(node: Node, entry: Option, notes: Notes, *, name: str) -> str | None:
    text = read_text(node, notes, name=name)
    if text is not None and entry.choices and text not in entry.choices:
        notes.add(node.place, f"{name} must be one of {', '.join(entry.choices)}, found {text!r}")
        return None
    return text


def _resolved(entries: tuple[Option, ...], given: dict[str, Scalar]) -> tuple[Setting, ...]:
    return tuple(Setting(entry.name, given.get(entry.name, entry.default)) for entry in entries)


def _pairs(node: Node | None, notes: Notes, *, name: str) -> tuple[tuple[Word, Node], ...]:
    if node is None or isinstance(node, Hole):
        return ()
    if isinstance(node, Pairs):
        return node.pairs
    notes.add(node.place, f"{name} must be a mapping, found {found_as(node)}")
    return ()


def _listed(node: Node) -> str:
    return "an empty list" if isinstance(node, Items) else found_as(node)
