"""Small files beside the policies, read as strictly: a list of named things, or a table of options.

The same reader as for policies, so that anchors, tags, repeated keys and typing errors are refused with their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from maintain.errors import InputError, PolicyError
from maintain.options import Option
from maintain.records import Scalar
from maintain_policies.options import read_settings
from maintain_policies.reading import found_as, read_boolean, read_number, read_text, read_value
from maintain_policies.tree import LARGEST_BYTES, Hole, Items, Node, Notes, Pairs, notes_for, read_tree
from maintain_policies.tree import Scalar as Word

#: What an option of a named thing may be.
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class NamedEntry:
    """One entry of a list: a name, its options, and `file:line:column`."""

    name: str
    options: Mapping[str, Value]
    place: str


def read_named(path: Path, *, what: str) -> tuple[NamedEntry, ...]:
    """The entries of a list of `NAME` or `NAME: {OPTION: VALUE}`. Raises `InputError` with every mistake."""
    notes, root = _read(path, what)
    entries = tuple(_entries(root, notes, what))
    _stop(notes, what)
    return entries


def read_table(path: Path, options: tuple[Option, ...], *, required: Iterable[str], what: str) -> dict[str, Scalar]:
    """The values of a mapping of these options. Raises `InputError` with every mistake, the missing ones too."""
    notes, root = _read(path, what)
    values = read_settings(root, options, notes, name=what)
    present = {word.text for word, _ in root.pairs} if isinstance(root, Pairs) else set()
    missing = [name for name in required if name not in present]
    if missing and not notes.problems:
        notes.add(root.place, f"{what} lacks {', '.join(missing)}")
    _stop(notes, what)
    return values


def text_of(path: Path, what: str) -> str:
    """The text of a small file. Raises `InputError` when it cannot be read or is no text."""
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"The {what} {path.name} cannot be read: {error.strerror}.", remedy="Name a YAML file that can."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The {what} {path.name} is not UTF-8 text.", remedy="Save it as UTF-8.") from error


def mistakes(error: PolicyError, what: str, *, page: str = "docs/adopt.md") -> InputError:
    """Every mistake of a small file at once, and the page that shows a whole one."""
    listed = "\n".join(problem.render() for problem in error.problems)
    count = len(error.problems)
    return InputError(
        f"{count} mistake{'s' if count != 1 else ''} in the {what}:\n{listed}",
        remedy=f"Mend these lines; {page} shows a whole file.",
    )


# --- private ---------------------------------------------------------------------------------------


def _read(path: Path, what: str) -> tuple[Notes, Node]:
    text = text_of(path, what)
    notes = notes_for(text, source=path.name)
    try:
        return notes, read_tree(text, notes)
    except PolicyError as error:
        raise mistakes(error, what) from error


def _stop(notes: Notes, what: str) -> None:
    if notes.problems:
        raise mistakes(notes.stop(), what)


def _entries(root: Node, notes: Notes, what: str) -> Iterable[NamedEntry]:
    if not isinstance(root, Items):
        if not isinstance(root, Hole):
            notes.add(root.place, f"the {what} is a list of names, found {found_as(root)}")
        return
    for node in root.nodes:
        place = f"{notes.source}:{node.place.line}:{node.place.column}"
        if isinstance(node, Word) and (name := read_text(node, notes, name=f"an entry of the {what}")) is not None:
            yield NamedEntry(name, {}, place)
        elif isinstance(node, Pairs) and len(node.pairs) == 1:
            word, below = node.pairs[0]
            yield NamedEntry(word.text, _options(below, notes, word.text), place)
        elif not isinstance(node, Word | Hole):
            notes.add(node.place, f"an entry of the {what} is NAME, or NAME: {{OPTION: VALUE}}")


def _options(node: Node, notes: Notes, name: str) -> dict[str, Value]:
    if isinstance(node, Hole) or found_as(node) == "nothing":
        return {}
    if not isinstance(node, Pairs):
        notes.add(node.place, f"the options of {name} are a mapping, found {found_as(node)}")
        return {}
    return {word.text: _value(value, notes, f"{name}.{word.text}") for word, value in node.pairs}


def _value(node: Node, notes: Notes, name: str) -> Value:
    if isinstance(node, Items):
        values = [_value(one, notes, name) for one in node.nodes]
        return tuple(value for value in values if not isinstance(value, tuple) and value is not None)
    if isinstance(node, Word) and found_as(node) == "nothing":
        return None
    return _scalar(node, notes, name)


def _scalar(node: Node, notes: Notes, name: str) -> Scalar | None:
    """A word as what it looks like: a number, true or false, else text."""
    if isinstance(node, Word) and node.plain:
        silent = Notes(notes.source, notes.lines)
        for value in (
            read_value(node, silent, name=name, number=True),
            read_number(node, silent, name=name),
            read_boolean(node, silent, name=name),
        ):
            if value is not None:
                return value
    return read_text(node, notes, name=name)
