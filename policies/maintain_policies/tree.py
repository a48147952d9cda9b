"""YAML text to nodes with places. Nothing is constructed: a policy stays text until a key reads it.

Built from parser events instead of PyYAML's composer, because anchors, aliases, tags, merge keys
and second documents are refused with their place, and because nesting stops at a depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from maintain.errors import PolicyError, Problem

if TYPE_CHECKING:
    from yaml.events import Event

#: Longest file that is read: a thousand times an ordinary policy, and parsed within seconds.
LARGEST_BYTES = 256 * 1024

#: Deepest nesting that is read; ordinary policies need six levels.
DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, number or text as written; `plain` if no quotes stood around it."""

    text: str
    plain: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    nodes: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping, its keys in the order of the file and each there once."""

    pairs: tuple[tuple[Scalar, Node], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Hole:
    """Something refused that has been reported; whoever meets it says nothing more."""

    place: Place


Node: TypeAlias = Scalar | Items | Pairs | Hole


@dataclass(slots=True)
class Notes:
    """Collects the mistakes of one file while it is read; the only thing here that changes."""

    source: str
    lines: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def add(self, place: Place, message: str) -> None:
        """Note one mistake, with the line it is in."""
        snippet = self.lines[place.line - 1].rstrip() if place.line <= len(self.lines) else ""
        self.problems.append(Problem(self.source, place.line, place.column, message, snippet))

    def stop(self) -> PolicyError:
        """The error that says everything noted, in the order of the file."""
        return PolicyError(sorted(self.problems, key=lambda problem: (problem.line, problem.column)))


def notes_for(text: str, *, source: str) -> Notes:
    """An empty collection for this text; lines are told apart as YAML does."""
    return Notes(source, _LINE_BREAK.split(text))


def read_tree(text: str, notes: Notes) -> Node:
    """The nodes of a text with one document. Raises `PolicyError` where reading cannot go on.

    Other refusals (a repeated key, an anchor) are noted, and reading goes on.
    """
    import yaml
    from yaml.reader import ReaderError

    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        notes.add(Place(1, 1), f"the file is longer than {LARGEST_BYTES // 1024} KiB; no policy needs that")
        raise notes.stop()
    try:
        return _Builder(yaml.parse(text, Loader=yaml.SafeLoader), notes).document()
    except ReaderError as error:
        found = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise _only(notes, _place_at(text, error.position), found) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark is not None else Place(1, 1)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise _only(notes, place, f"this is not YAML: {said}") from error


# --- private ---------------------------------------------------------------------------------------

_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def _only(notes: Notes, place: Place, message: str) -> PolicyError:
    """The error for a text that is not YAML: what was noted before it may be its consequence."""
    fresh = Notes(notes.source, notes.lines)
    fresh.add(place, message)
    return fresh.stop()


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _place_at(text: str, position: int) -> Place:
    before = _LINE_BREAK.split(text[:position])
    return Place(len(before), len(before[-1]) + 1)


class _Builder:
    """Turns events into nodes; one use."""

    def __init__(self, events: Iterator[Event], notes: Notes) -> None:
        self.events = events
        self.notes = notes

    def document(self) -> Node:
        """The first document; a second one is noted."""
        import yaml

        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.notes.add(_place(event.start_mark), "a second document starts here; one policy a file")
                    return root
                root = self.node(next(self.events), depth=1)
        if root is None:
            self.notes.add(Place(1, 1), "the file is empty")
            raise self.notes.stop()
        return root

    def node(self, event: Event, *, depth: int) -> Node:
        """The node that begins with this event, its children read to the end."""
        import yaml

        place = _place(event.start_mark)
        if depth > DEEPEST:
            self.notes.add(place, f"nested deeper than {DEEPEST} levels")
            raise self.notes.stop()
        if isinstance(event, yaml.AliasEvent):
            self.notes.add(place, f"aliases (*{event.anchor}) are refused; write the value out")
            return Hole(place)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.notes.add(place, f"anchors (&{event.anchor}) are refused; write the value out")
        if isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent) and event.tag is not None:
            self.notes.add(place, "tags are refused; a policy is plain data")
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(self.items(depth), place)
        if isinstance(event, yaml.MappingStartEvent):
            return Pairs(self.pairs(depth), place)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, event.implicit[0], place)
        raise AssertionError(f"{type(event).__name__} where a node was due")

    def items(self, depth: int) -> tuple[Node, ...]:
        """The elements of a list, to its end."""
        import yaml

        nodes = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self.node(event, depth=depth + 1))
        return tuple(nodes)

    def pairs(self, depth: int) -> tuple[tuple[Scalar, Node], ...]:
        """The pairs of a mapping, to its end, without those whose key was refused."""
        import yaml

        kept: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth=depth + 1)
            value = self.node(next(self.events), depth=depth + 1)
            if isinstance(key, Scalar) and self.usable(key, kept):
                kept[key.text] = (key, value)
            elif isinstance(key, Items | Pairs):
                self.notes.add(key.place, "a key is a plain word, not a list or a mapping")
        return tuple(kept.values())

    def usable(self, key: Scalar, kept: dict[str, tuple[Scalar, Node]]) -> bool:
        """Whether a key may stand here; if not, that is noted."""
        if key.plain and key.text == "<<":
            self.notes.add(key.place, "merge keys are refused; write the values out")
            return False
        if key.text in kept:
            first = kept[key.text][0].place.line
            self.notes.add(key.place, f"the key {key.text!r} is given twice; the first is in line {first}")
            return False
        return True
