"""The worked examples: policies to begin with, each beside the test that shows what it selects.

There is one copy of each, `policies/examples/KIND/policy.yaml`; a wheel carries the same folder inside this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from maintain.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from yaml.nodes import Node

#: Every kind of example, in the order in which people are shown them.
KINDS = (
    "consent-withdrawal",
    "forget-requests",
    "retired-camera",
    "scanner-software",
    "variant-anatomy",
    "wrong-labels",
    "diagnosis-relabelled",
    "retention-expired",
    "site-recall",
)


def worked_policy(kind: str) -> str:
    """The policy of an example, comments and all. Raises `UnknownNameError` for a kind that there is not."""
    if kind not in KINDS:
        raise UnknownNameError("kind of policy", kind, KINDS)
    return (_shelf() / kind / "policy.yaml").read_text(encoding="utf-8")


def summary_of(kind: str) -> str:
    """The first sentence of an example's comment: what it is for."""
    head = [line.removeprefix("#").strip() for line in _comment(worked_policy(kind))]
    sentence, stop, _ = " ".join(head).partition(". ")
    return sentence + stop.strip()


def begin_policy(
    kind: str,
    *,
    name: str | None = None,
    model: str | None = None,
    owner: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> str:
    """An example with other words in their places; everything else, comments too, stays as it is.

    `fields` replaces what a field of `where` is held against; commas separate the values of a list. Raises
    `InputError` for a field that the example does not test, or tests more than once.
    """
    text = worked_policy(kind)
    root = _compose(text)
    given = {"name": name, "owner": owner, "model.name": model}
    edits = [(_at(root, path), _written(word)) for path, word in given.items() if word is not None]
    for field, value in (fields or {}).items():
        node = _tested(root, field, kind)
        edits.append((node, _listed(value) if _is_list(node) else _written(value)))
    for node, word in sorted(edits, key=lambda edit: -edit[0].start_mark.index):
        text = text[: node.start_mark.index] + word + text[node.end_mark.index :]
    return text


# --- private ---------------------------------------------------------------------------------------

#: Words that YAML reads as they stand, wherever they stand; anything else is put in quotes.
_SAFE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._@+/*-]*[A-Za-z0-9*])?")


def _shelf() -> Traversable:
    """Where the examples lie: in an installed wheel inside this package, in a source tree beside it."""
    inside = files(__package__) / "kinds"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "examples"


def _comment(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line


def _compose(text: str) -> Node:
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    return root


def _pairs(node: Node) -> list[tuple[str, Node]]:
    from yaml.nodes import MappingNode

    return [(key.value, value) for key, value in node.value] if isinstance(node, MappingNode) else []


def _is_list(node: Node) -> bool:
    from yaml.nodes import SequenceNode

    return isinstance(node, SequenceNode)


def _at(root: Node, path: str) -> Node:
    node = root
    for word in path.split("."):
        node = dict(_pairs(node))[word]
    return node


def _tests(where: Node) -> Iterator[tuple[str, Node]]:
    """Every field of a `where`, with what it is held against."""
    for key, value in _pairs(where):
        if key in ("all", "any"):
            for one in value.value:
                yield from _tests(one)
        elif key == "not":
            yield from _tests(value)
        elif operators := _pairs(value):
            yield from ((key, operand) for _, operand in operators)
        else:
            yield key, value


def _tested(root: Node, field: str, kind: str) -> Node:
    tests = list(_tests(_at(root, "forget.where")))
    found = [value for name, value in tests if name == field]
    if len(found) == 1:
        return found[0]
    known = ", ".join(dict.fromkeys(name for name, _ in tests))
    said = "more than once" if found else "not at all"
    remedy = f"It tests {known}. Write the example out without this field, and mend the file by hand."
    raise InputError(f"The example {kind} tests {field} {said}.", remedy=remedy)


def _written(word: str) -> str:
    return word if _SAFE.fullmatch(word) and ": " not in word else json.dumps(word, ensure_ascii=False)


def _listed(text: str) -> str:
    return f"[{', '.join(_written(word.strip()) for word in text.split(','))}]"
