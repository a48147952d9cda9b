"""Policies with one clause changed: whatever a person could mistype or a hand could alter, one change at a time.

A mutant is the policy's plain data with one value, operator, field or key changed, dropped or negated.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from maintain.predicate import date_interval, field_named
from maintain.vocabulary import Claim, Reason, Unit

#: The values of a field that some case of the cohort has.
Known = Callable[[str], Collection[str]]

#: Operators and those that they could be mistaken for.
OTHER_OPERATORS = {
    "eq": ("ne",),
    "ne": ("eq",),
    "in": ("not_in",),
    "not_in": ("in",),
    "lt": ("le", "gt"),
    "le": ("lt", "ge"),
    "gt": ("ge", "lt"),
    "ge": ("gt", "le"),
    "before": ("after",),
    "after": ("before",),
    "matches": ("eq",),
}

#: A field and the one it is most easily confused with.
OTHER_FIELDS = {"device.model": "device.model_raw", "device.software": "device.model"}

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the clause, what was done to it, and the policy that comes of it."""

    clause: str
    change: str
    policy: dict[str, Any]

    @property
    def name(self) -> str:
        """What a list of survivors calls it."""
        return f"{self.clause}: {self.change}"


def mutants(policy: dict[str, Any], known: Known) -> Iterator[Mutant]:
    """Every change of every clause that says what is forgotten, how much of it, why, and what may be said then."""
    for change, where in _wheres(policy["forget"]["where"], known):
        yield Mutant("where", change, _with(policy, ("forget", "where"), where))
    unit = policy["forget"].get("unit", "patient" if Reason(policy["reason"]).personal else "image")
    for clause, path, now, words in (
        ("unit", ("forget", "unit"), unit, Unit),
        ("claim", ("claim",), policy["claim"], Claim),
        ("reason", ("reason",), policy["reason"], Reason),
    ):
        for word in words:
            if word.value != now:
                yield Mutant(clause, word.value, _with(policy, path, word.value))
    for limit, most in policy.get("limits", {}).items():
        for change, value in (("one more", most + 1), ("one less", most - 1), ("dropped", None)):
            yield Mutant(limit, change, _with(policy, ("limits", limit), value))
    for change, methods in _lists(policy["unlearn"]["methods"]):
        yield Mutant("methods", change, _with(policy, ("unlearn", "methods"), methods))
    longer = ["noop", *policy["unlearn"]["methods"]]
    yield Mutant("methods", "one before", _with(policy, ("unlearn", "methods"), longer))
    for change, figures in (("a wider margin", {"margin": 0.09}), ("other groups", {"by": ["patient.sex"]}), ("", {})):
        gates = ["default", {"retention": figures}] if figures else "default"
        yield Mutant("gates", change or "as usual", _with(policy, ("gates",), gates))


# --- private ---------------------------------------------------------------------------------------


def _with(policy: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(policy)
    node = changed
    for key in path[:-1]:
        node = node.setdefault(key, {})
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


def _wheres(where: dict[str, Any], known: Known) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every `where` that differs in one place."""
    yield "negated", {"not": where}
    if len(where) > 1:
        yield "any for all", {"any": [{key: value} for key, value in where.items()]}
    for key, value in where.items():
        rest = {other: one for other, one in where.items() if other != key}
        if rest:
            yield f"{key} dropped", rest
        for change, term in _terms(key, value, known):
            yield f"{key} {change}", {"all": [*({other: one} for other, one in rest.items()), term]}


def _terms(key: str, value: Any, known: Known) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every term that stands for one key with its value, changed in one place."""
    if key in ("all", "any"):
        yield "joined otherwise", {"any" if key == "all" else "all": value}
        for place, where in enumerate(value):
            others = [*value[:place], *value[place + 1 :]]
            if others:
                yield f"without its part {place + 1}", {key: others}
            for change, changed in _wheres(where, known):
                yield f"part {place + 1}, {change}", {key: [*value[:place], changed, *value[place + 1 :]]}
    elif key == "not":
        yield "affirmed", value
        for change, changed in _wheres(value, known):
            yield change, {"not": changed}
    else:
        operators = value if isinstance(value, dict) else {"in" if isinstance(value, list) else "eq": value}
        yield from _tests(key, operators, known)


def _tests(field: str, operators: dict[str, Any], known: Known) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "negated", {"not": {field: operators}}
    if field in OTHER_FIELDS:
        yield f"as {OTHER_FIELDS[field]}", {OTHER_FIELDS[field]: operators}
    for operator, value in operators.items():
        rest = {other: one for other, one in operators.items() if other != operator}
        if rest:
            yield f"{operator} dropped", {field: rest}
        for other in OTHER_OPERATORS.get(operator, ()):
            yield f"{other} for {operator}", {field: {**rest, other: value}}
        for change, changed in _values(field, operator, value, known):
            yield f"{operator} {change}", {field: {**rest, operator: changed}}


def _values(field: str, operator: str, value: Any, known: Known) -> Iterator[tuple[str, Any]]:
    if operator == "exists":
        yield "turned", not value
    elif isinstance(value, list) and operator in ("in", "not_in"):
        yield from _lists(value)
        yield from ((f"also {one}", [*value, one]) for one in sorted(set(known(field)) - set(value)))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            for change, moved in _moved(field, one):
                yield f"end {place + 1} {change}", [*value[:place], moved, *value[place + 1 :]]
    elif operator == "matches":
        yield from _globs(value)
    else:
        yield from _moved(field, value)
        yield from ((f"is {one}", one) for one in sorted(set(known(field)) - {value}) if isinstance(value, str))


def _moved(field: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A number one up and down, a date one day later and earlier."""
    kind = field_named(field)
    assert kind is not None
    if kind.kind == "number":
        yield from (("one up", value + 1), ("one down", value - 1))
    elif kind.kind == "date":
        first = datetime.date.fromisoformat(date_interval(str(value))[0])
        yield from (("a day later", first + DAY), ("a day earlier", first - DAY))


def _globs(glob: str) -> Iterator[tuple[str, str]]:
    yield "wider in front", f"*{glob}"
    yield "wider behind", f"{glob.rstrip('*.')}*"
    yield "any one character", glob.replace("*", "?")
    yield "the text alone", glob.replace("*", "")


def _lists(values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    for place, one in enumerate(values):
        if len(values) > 1:
            yield f"without {one}", [*values[:place], *values[place + 1 :]]
