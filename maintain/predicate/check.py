"""Whether a test makes sense: known field, an operator its kind allows, values that can be compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from maintain.errors import nearest_name
from maintain.predicate.evaluate import date_interval
from maintain.predicate.fields import FIELDS, Field, field_named, is_later
from maintain.predicate.tree import OPERATORS, Compare, Kind, Operator, Shape
from maintain.records import Scalar


class Part(StrEnum):
    """Which part of a test a flaw is in."""

    FIELD = "field"
    """Its name."""
    OPERATOR = "operator"
    """Its operator."""
    VALUE = "value"
    """What it is held against."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a test, and in which part; of a list of values, the one at `index`."""

    part: Part
    message: str
    index: int | None = None


def check(compare: Compare) -> tuple[Flaw, ...]:
    """Everything that is wrong with one test; nothing if it can be evaluated."""
    field = field_named(compare.field)
    if field is None:
        return (Flaw(Part.FIELD, _unknown(compare.field)),)
    rule = OPERATORS[compare.operator]
    if field.kind not in rule.kinds:
        return (Flaw(Part.OPERATOR, _not_for(compare.operator, field)),)
    if not _has_shape(rule.shape, compare.value):
        return (Flaw(Part.VALUE, f"{compare.operator} wants {rule.shape.value}"),)
    if rule.shape is Shape.FLAG:
        return ()
    return _check_values(compare, field)


# --- private ---------------------------------------------------------------------------------------

_PAIR = 2


def _unknown(name: str) -> str:
    if is_later(name):
        return f"{name} is part of the policy language but this version does not enforce it yet"
    nearest = nearest_name(name, FIELDS)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return f"there is no field called {name!r}.{meant} Known: {', '.join(FIELDS)}"


def _not_for(operator: Operator, field: Field) -> str:
    allowed = ", ".join(operator for operator, rule in OPERATORS.items() if field.kind in rule.kinds)
    return f"{operator} does not apply to {field.name}, which is a {field.kind}; use {allowed}"


def _has_shape(shape: Shape, value: object) -> bool:
    match shape:
        case Shape.ONE:
            return not isinstance(value, tuple | bool)
        case Shape.MANY:
            return isinstance(value, tuple) and bool(value)
        case Shape.PAIR:
            return isinstance(value, tuple) and len(value) == _PAIR
        case Shape.FLAG:
            return isinstance(value, bool)


def _check_values(compare: Compare, field: Field) -> tuple[Flaw, ...]:
    if not isinstance(compare.value, tuple):
        message = _check_value(compare, field, compare.value)
        return () if message is None else (Flaw(Part.VALUE, message),)
    found = [(index, _check_value(compare, field, one)) for index, one in enumerate(compare.value)]
    flaws = tuple(Flaw(Part.VALUE, message, index) for index, message in found if message is not None)
    if not flaws and compare.operator is Operator.BETWEEN and not _in_order(field.kind, compare.value):
        return (Flaw(Part.VALUE, "between wants the smaller value first; as written nothing can match"),)
    return flaws


def _check_value(compare: Compare, field: Field, value: Scalar) -> str | None:
    match field.kind:
        case Kind.TEXT:
            if not isinstance(value, str) or not value:
                return f"{compare.field} is compared with text that is not empty"
            if field.choices and compare.operator is not Operator.MATCHES and value not in field.choices:
                return _no_choice(compare.field, value, field.choices)
        case Kind.NUMBER:
            if isinstance(value, bool | str) or not math.isfinite(value):
                return f"{compare.field} is compared with numbers, and {value!r} is not one"
        case Kind.DATE:
            try:
                date_interval(str(value))
            except ValueError as error:
                return f"{compare.field}: {error}"
    return None


def _no_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    nearest = nearest_name(value, choices)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return f"{name} is never {value!r}.{meant} Known: {', '.join(choices)}"


def _in_order(kind: Kind, pair: tuple[Scalar, ...]) -> bool:
    low, high = pair
    if kind is Kind.DATE:
        return date_interval(str(low))[0] <= date_interval(str(high))[1]
    return float(low) <= float(high)
