"""Options of methods and gates: a value each, and for a method a short list of values to try in turn.

What a policy leaves out is the catalogue's. Lists of several options are tried in every combination, each of which is
paid for, so there may be few.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import TypeAlias

from maintain.options import Option
from maintain.records import Scalar, Setting
from maintain_policies.language import MOST_COMBINATIONS, unknown
from maintain_policies.reading import found_as, read_boolean, read_integer, read_number, read_text
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs
from maintain_policies.tree import Scalar as Word
from maintain_policies.where import read_fields

#: The values that a policy gives for options of one method, each at least one.
Grid: TypeAlias = Mapping[str, tuple[Scalar, ...]]


def read_settings(node: Node | None, entries: tuple[Option, ...], notes: Notes, *, name: str) -> dict[str, Scalar]:
    """The values that are given, a value an option."""
    values: dict[str, Scalar] = {}
    for entry, value in _known(node, entries, notes, name=name):
        read = _read_option(value, entry, notes, name=f"{name}.{entry.name}")
        if read is not None:
            values[entry.name] = read
    return values


def read_grid(node: Node | None, entries: tuple[Option, ...], notes: Notes, *, name: str) -> Grid:
    """The values that are given, one or a list of them an option; together at most a few combinations."""
    values: dict[str, tuple[Scalar, ...]] = {}
    for entry, value in _known(node, entries, notes, name=name):
        said = f"{name}.{entry.name}"
        if isinstance(value, Items) and entry.kind != "fields":
            before, values[entry.name] = _count(values), _read_list(value, entry, notes, name=said)
            if before <= MOST_COMBINATIONS < _count(values):
                message = f"{name} asks for {_count(values)} combinations; at most {MOST_COMBINATIONS} are tried"
                notes.add(value.place, message)
        elif (read := _read_option(value, entry, notes, name=said)) is not None:
            values[entry.name] = (read,)
    return {option: read for option, read in values.items() if read}


def combinations(entries: tuple[Option, ...], grid: Grid) -> tuple[tuple[Setting, ...], ...]:
    """Every option with its value, once for each combination: values as listed, the catalogue's last option first."""
    values = (grid.get(entry.name, (entry.default,)) for entry in entries)
    return tuple(
        tuple(Setting(entry.name, value) for entry, value in zip(entries, chosen, strict=True))
        for chosen in product(*values)
    )


def resolved(entries: tuple[Option, ...], given: Mapping[str, Scalar]) -> tuple[Setting, ...]:
    """Every option with its value: the given one, else the catalogue's."""
    return tuple(Setting(entry.name, given.get(entry.name, entry.default)) for entry in entries)


def pairs_of(node: Node | None, notes: Notes, *, name: str) -> tuple[tuple[Word, Node], ...]:
    """The keys and values of a mapping; none, with a note, where something else stands."""
    if node is None or isinstance(node, Hole):
        return ()
    if isinstance(node, Pairs):
        return node.pairs
    notes.add(node.place, f"{name} must be a mapping, found {found_as(node)}")
    return ()


# --- private ---------------------------------------------------------------------------------------


def _known(
    node: Node | None, entries: tuple[Option, ...], notes: Notes, *, name: str
) -> tuple[tuple[Option, Node], ...]:
    known = {entry.name: entry for entry in entries}
    found = []
    for key, value in pairs_of(node, notes, name=name):
        if key.text in known:
            found.append((known[key.text], value))
        else:
            notes.add(key.place, unknown(f"option of {name}", key.text, tuple(known)))
    return tuple(found)


def _count(grid: Grid) -> int:
    return prod(len(values) for values in grid.values() if values)


def _read_list(node: Items, entry: Option, notes: Notes, *, name: str) -> tuple[Scalar, ...]:
    """The values of a list, each there once."""
    if not node.nodes:
        notes.add(node.place, f"{name} must be a value or a list of values, found an empty list")
    values: list[Scalar] = []
    for one in node.nodes:
        read = _read_option(one, entry, notes, name=name)
        if read in values:
            notes.add(one.place, f"{name} lists {read} twice")
        elif read is not None:
            values.append(read)
    return tuple(values)


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
