"""The tree: tests of single fields, joined by all, any and not; and the table of operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from maintain.records import Scalar

Operand: TypeAlias = Scalar | tuple[Scalar, ...]


class Kind(StrEnum):
    """What the values of a field are."""

    TEXT = "text"
    """Compared exactly, case and all."""
    NUMBER = "number"
    """Whole or decimal."""
    DATE = "date"
    """ISO; a partial date (2024, 2024-03) is the interval from its first day to its last."""


class Shape(StrEnum):
    """What an operator wants to be held against."""

    ONE = "one value"
    """A single value of the field's kind."""
    MANY = "a list of values"
    """One or more of them."""
    PAIR = "a list of two values, the smaller first"
    """The ends of an interval."""
    FLAG = "true or false"
    """Whether there should be a value."""


class Operator(StrEnum):
    """How a field is tested; `OPERATORS` says what each means and wants."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    MATCHES = "matches"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Compare:
    """One test of one field. `value` is a tuple for in, not_in and between, a bool for exists."""

    field: str
    operator: Operator
    value: Operand


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every term matches. Raises ValueError without terms: nothing to test is no match."""

    terms: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _refuse_empty(self.terms)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one term matches. Raises ValueError without terms."""

    terms: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _refuse_empty(self.terms)


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not match: the plain complement, so a missing value is inside it."""

    term: Predicate


Predicate: TypeAlias = Compare | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Rule:
    """What one operator applies to and wants; `words` join field and value in a sentence."""

    kinds: frozenset[Kind]
    shape: Shape
    words: str
    doc: str


_ALL = frozenset(Kind)
_NUMBER = frozenset({Kind.NUMBER})
_DATE = frozenset({Kind.DATE})

#: All operators. The policy loader, the schema and the language page are derived from this table.
OPERATORS: Mapping[Operator, Rule] = MappingProxyType(
    {
        Operator.EQ: Rule(_ALL, Shape.ONE, "is", "equal; a day equals the partial date it lies in"),
        Operator.NE: Rule(_ALL, Shape.ONE, "is not", "present, and not equal"),
        Operator.IN: Rule(_ALL, Shape.MANY, "is one of", "equal to one of them"),
        Operator.NOT_IN: Rule(_ALL, Shape.MANY, "is none of", "present, and equal to none of them"),
        Operator.LT: Rule(_NUMBER, Shape.ONE, "<", "smaller"),
        Operator.LE: Rule(_NUMBER, Shape.ONE, "<=", "smaller or equal"),
        Operator.GT: Rule(_NUMBER, Shape.ONE, ">", "larger"),
        Operator.GE: Rule(_NUMBER, Shape.ONE, ">=", "larger or equal"),
        Operator.BETWEEN: Rule(
            frozenset({Kind.NUMBER, Kind.DATE}), Shape.PAIR, "is between", "inside, both ends included"
        ),
        Operator.BEFORE: Rule(_DATE, Shape.ONE, "is before", "earlier than the first day of the date"),
        Operator.AFTER: Rule(_DATE, Shape.ONE, "is after", "later than the last day of the date"),
        Operator.MATCHES: Rule(
            frozenset({Kind.TEXT}),
            Shape.ONE,
            "matches",
            "a case-sensitive glob over the whole value: * is any text, ? any one character, "
            "everything else (brackets and backslashes too) is itself",
        ),
        Operator.EXISTS: Rule(_ALL, Shape.FLAG, "exists", "whether the case has a value at all"),
    }
)


# --- private ---------------------------------------------------------------------------------------


def _refuse_empty(terms: tuple[Predicate, ...]) -> None:
    if not terms:
        raise ValueError("all and any need at least one term")
