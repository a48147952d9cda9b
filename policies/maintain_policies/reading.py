"""From nodes to plain values, by the core rules of YAML 1.2; what does not fit is noted with its place.

The key decides what a word is, never the word itself: the serial number 0012 stays 0012, and the
site NO is a site.
"""

from __future__ import annotations

import math
import re
from typing import TypeGuard

from maintain.records import Scalar as PlainValue
from maintain_policies.language import not_yet, unknown
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Scalar

#: Digits that a whole number may have: more cannot be meant, and huge ones cost time to read.
LONGEST_INTEGER = 18


def read_text(node: Node, notes: Notes, *, name: str, pattern: str | None = None, pattern_doc: str = "") -> str | None:
    """Text as written, or None with a note."""
    if not _is_scalar(node, notes, name, "text"):
        return None
    if found_as(node) == "nothing" or not node.text.strip():
        notes.add(node.place, f"{name} must be text, found nothing")
        return None
    if pattern is not None and not re.fullmatch(pattern, node.text):
        notes.add(node.place, f"{name} must be {pattern_doc}, found {node.text!r}")
        return None
    return node.text


def read_choice(
    node: Node, notes: Notes, *, name: str, choices: tuple[str, ...], later: tuple[str, ...] = ()
) -> str | None:
    """One of the choices, or None with a note."""
    text = read_text(node, notes, name=name)
    if text is None or text in choices:
        return text
    if text in later:
        notes.add(node.place, not_yet(f"{name}: {text}"))
    else:
        notes.add(node.place, unknown(name, text, choices))
    return None


def read_boolean(node: Node, notes: Notes, *, name: str) -> bool | None:
    """True or false, or None with a note."""
    if not _is_scalar(node, notes, name, "true or false"):
        return None
    if node.plain and _BOOLEAN.fullmatch(node.text):
        return node.text.lower() == "true"
    notes.add(node.place, f"{name} must be true or false, found {found_as(node)}")
    return None


def read_integer(
    node: Node, notes: Notes, *, name: str, minimum: float | None = None, maximum: float | None = None
) -> int | None:
    """A whole number within its bounds, or None with a note."""
    if not _is_scalar(node, notes, name, "a whole number"):
        return None
    if not (node.plain and _INTEGER.fullmatch(node.text)):
        notes.add(node.place, f"{name} must be a whole number, found {found_as(node)}")
        return None
    if len(node.text) > LONGEST_INTEGER:
        notes.add(node.place, f"{name} has more than {LONGEST_INTEGER} digits")
        return None
    value = int(node.text)
    return value if _within(value, node, notes, name, minimum=minimum, maximum=maximum) else None


def read_number(
    node: Node,
    notes: Notes,
    *,
    name: str,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
) -> float | None:
    """A finite number within its bounds, or None with a note."""
    if not _is_scalar(node, notes, name, "a number"):
        return None
    if not (node.plain and _NUMBER.fullmatch(node.text)) or not math.isfinite(float(node.text)):
        notes.add(node.place, f"{name} must be a number, found {found_as(node)}")
        return None
    value = float(node.text)
    if above is not None and value <= above:
        notes.add(node.place, f"{name} must be above {above:g}, found {node.text}")
        return None
    return value if _within(value, node, notes, name, minimum=minimum, maximum=maximum) else None


def read_value(node: Node, notes: Notes, *, name: str, number: bool) -> PlainValue | None:
    """What a field is compared with: text as written, or a number (whole where it is written so)."""
    if not number:
        if isinstance(node, Scalar) and found_as(node) == "nothing":
            notes.add(node.place, f"{name} is compared with nothing; write {{exists: false}} for missing")
            return None
        return read_text(node, notes, name=name)
    if isinstance(node, Scalar) and node.plain and _INTEGER.fullmatch(node.text):
        return read_integer(node, notes, name=name)
    return read_number(node, notes, name=name)


def found_as(node: Node) -> str:
    """What a reader of the file would say stands there."""
    match node:
        case Items():
            return "a list"
        case Pairs():
            return "a mapping"
        case Hole():
            return "something refused"
        case Scalar(text, plain):
            if plain and _NULL.fullmatch(text):
                return "nothing"
            if plain and (_NUMBER.fullmatch(text) or _BOOLEAN.fullmatch(text)):
                return text
            return f"the text {text!r}"


# --- private ---------------------------------------------------------------------------------------

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _is_scalar(node: Node, notes: Notes, name: str, wanted: str) -> TypeGuard[Scalar]:
    if isinstance(node, Scalar):
        return True
    if not isinstance(node, Hole):
        notes.add(node.place, f"{name} must be {wanted}, found {found_as(node)}")
    return False


def _within(value: float, node: Node, notes: Notes, name: str, *, minimum: float | None, maximum: float | None) -> bool:
    if minimum is not None and minimum == maximum and value != minimum:
        notes.add(node.place, f"{name} must be {minimum:g}, found {value:g}")
        return False
    if minimum is not None and value < minimum:
        notes.add(node.place, f"{name} must be at least {minimum:g}, found {value:g}")
        return False
    if maximum is not None and value > maximum:
        notes.add(node.place, f"{name} must be at most {maximum:g}, found {value:g}")
        return False
    return True
