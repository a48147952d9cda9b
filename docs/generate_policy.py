"""Write `docs/policy.md` from the catalogues of the policy language, so that the reference cannot lie.

Run `python docs/generate_policy.py` after changing a key, a field, an operator or a word; a test compares the two.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from maintain.gates import GATE_SET_ALIASES, GATES, PROOFS
from maintain.predicate import FIELDS, LATER_FIELDS, OPERATORS, Field, Rule
from maintain.unlearn import METHODS
from maintain.vocabulary import Claim, Reason, Role, Unit
from maintain_policies import KINDS, summary_of
from maintain_policies.language import KEYS, Form, Key

HEAD = """# Policy reference

Written by `python docs/generate_policy.py` from the program; a test keeps it true. The language is introduced, with
examples, in [policies/README.md](../policies/README.md); `maintain policy schema` prints the same as a JSON Schema.
"""

#: How people are told what a form of a key wants.
FORMS = {
    Form.MAPPING: "keys",
    Form.TEXT: "text",
    Form.INTEGER: "whole number",
    Form.NUMBER: "number",
    Form.CHOICE: "one word",
    Form.WHERE: "[fields](#fields) with values",
    Form.METHODS: "a list of [methods](#methods), or `auto`",
    Form.OPTIONS: "options by method",
    Form.GATES: "a gate set, or a list of [gates](#gates)",
}


def reference() -> str:
    """The whole page."""
    parts = (_keys(), _later(), _fields(), _operators(), _words(), _methods(), _gates(), _examples())
    return "\n".join([HEAD, *(line for part in parts for line in part)])


def _keys() -> Iterator[str]:
    yield "## Keys\n"
    yield "| key | value | omitted | what it says |\n|---|---|---|---|"
    for path, key in KEYS.items():
        if key.form is not Form.LATER:
            yield f"| `{path}` | {_value(key)} | {_omitted(key)} | {key.doc} |"
    yield ""


def _value(key: Key) -> str:
    if key.choices:
        return ", ".join(f"`{choice}`" for choice in key.choices)
    if key.minimum is not None and key.minimum == key.maximum:
        return f"{key.minimum:.0f}"
    bounds = [
        *([f"above {key.above:.0f}"] if key.above is not None else []),
        *([f"at least {key.minimum:.0f}"] if key.minimum is not None else []),
        *([f"at most {key.maximum:.0f}"] if key.maximum is not None else []),
        *([f"at most {key.longest} characters"] if key.longest else []),
    ]
    return ", ".join([key.pattern_doc or FORMS[key.form], *bounds])


def _omitted(key: Key) -> str:
    if key.required:
        return "required"
    return "" if key.default is None else f"{key.default:g}" if isinstance(key.default, float) else f"{key.default}"


def _later() -> Iterator[str]:
    later = [path for path, key in KEYS.items() if key.form is Form.LATER]
    words = [f"{path}: {word}" for path, key in KEYS.items() for word in key.later]
    yield "## Not enforced yet\n"
    yield "These belong to the language; a policy that uses one is refused, because it would be half obeyed.\n"
    yield from (f"* the key `{path}`: {KEYS[path].doc}" for path in later)
    yield from (f"* `{word}`" for word in words)
    yield from (f"* the field `{field}`" for field in LATER_FIELDS)
    yield ""


def _fields() -> Iterator[str]:
    yield "## Fields\n"
    yield "| field | kind | what it is |\n|---|---|---|"
    yield from (f"| `{field.name}` | {_kind(field)} | {field.doc} |" for field in FIELDS.values())
    yield ""


def _kind(field: Field) -> str:
    several = ", several values" if field.multi else ""
    return f"{field.kind}{several}" + (
        f": {', '.join(f'`{choice}`' for choice in field.choices)}" if field.choices else ""
    )


def _operators() -> Iterator[str]:
    yield "## Operators\n"
    yield "`FIELD: VALUE` is `eq`, `FIELD: [VALUE, ...]` is `in`. `all`, `any` and `not` join tests.\n"
    yield "| operator | for | held against | matches where the value is |\n|---|---|---|---|"
    yield from (
        f"| `{operator}` | {_kinds(rule)} | {rule.shape.value} | {rule.doc} |" for operator, rule in OPERATORS.items()
    )
    yield ""


def _kinds(rule: Rule) -> str:
    return ", ".join(sorted(kind.value for kind in rule.kinds))


def _words() -> Iterator[str]:
    for title, vocabulary, more in (
        ("Reasons", Reason, _scope),
        ("Claims", Claim, _proofs),
        ("Units", Unit, None),
        ("Roles in a plan", Role, None),
    ):
        docs = _member_docs(vocabulary)
        yield f"## {title}\n"
        for word in vocabulary:
            if word is Role.LEARN:  # of a loader, never of a plan
                continue
            also = "" if more is None else f" {more(word)}"
            yield f"* `{word}`: {docs[word.name]}{also}"
        yield ""


def _scope(reason: Reason) -> str:
    if reason.personal:
        return "Bars the cases and every copy everywhere, for always; needs the claim `never-saw`."
    if reason is Reason.WRONG_LABEL:
        return (
            "Bars the learned version of the label for this model; a corrected case may be learned again, and is then"
            " not forgotten by the same mark ([ADR 0023](adr/0023-a-wrong-label-is-a-pair.md))."
        )
    return "Bars the cases for this model."


def _proofs(claim: Claim) -> str:
    ways = [" + ".join(f"`{gate}`" for gate in row) for row in PROOFS[claim]]
    return f"Shown by {', or by '.join(ways)}."


def _member_docs(vocabulary: type[StrEnum]) -> dict[str, str]:
    """The sentence below each member of a vocabulary, which Python itself forgets."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(vocabulary)).body if isinstance(node, ast.ClassDef))
    docs = {}
    for member, doc in pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            (name,) = (target.id for target in member.targets if isinstance(target, ast.Name))
            docs[name] = str(doc.value.value)
    return docs


def _methods() -> Iterator[str]:
    yield "## Methods\n"
    yield "Their options, and what each claims, are in [the reference of the methods](methods/reference.md).\n"
    yield ", ".join(f"[`{name}`](methods/reference.md#{name})" for name in METHODS) + ".\n"


def _gates() -> Iterator[str]:
    aliases = ", ".join(f"`{alias}` is `{name}`" for alias, name in GATE_SET_ALIASES.items())
    yield "## Gates\n"
    yield f"Their figures are in [gates.md](gates.md); today {aliases}.\n"
    yield ", ".join(f"[`{name}`](gates.md#{name})" for name in GATES) + ".\n"


def _examples() -> Iterator[str]:
    yield "## Worked examples\n"
    yield "`maintain policy new KIND` begins a policy with one. Each carries its test, run by `maintain policy test`.\n"
    yield from (f"* [`{kind}`](../policies/examples/{kind}/policy.yaml): {summary_of(kind)}" for kind in KINDS)
    yield ""


if __name__ == "__main__":
    Path(__file__).with_name("policy.md").write_text(reference(), encoding="utf-8")
