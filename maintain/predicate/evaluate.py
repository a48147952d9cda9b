"""The in-memory evaluator: what a predicate means, in as few words as possible.

Every value is read as an interval (a number or a text from itself to itself, a date from its first
day to its last), so that one row per operator says everything for all kinds.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from maintain.errors import UnknownNameError
from maintain.predicate.fields import FIELDS, field_named, field_values
from maintain.predicate.tree import AllOf, AnyOf, Compare, Kind, Not, Operator, Predicate
from maintain.records import Case, Scalar


def matches(predicate: Predicate, case: Case) -> bool:
    """Whether the case is meant.

    Raises `UnknownNameError`, TypeError or ValueError for a test that `check` would have refused.
    """
    match predicate:
        case Compare():
            return _compare(predicate, case)
        case AllOf(terms):
            return all(matches(term, case) for term in terms)
        case AnyOf(terms):
            return any(matches(term, case) for term in terms)
        case Not(term):
            return not matches(term, case)


def matches_glob(text: str, pattern: str) -> bool:
    """`*` is any text, `?` any one character, everything else itself; never a regular expression.

    Steps back only to the last star, so a hostile pattern costs len(text) * len(pattern) at most.
    """
    at = place = resume = 0
    star: int | None = None
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star is not None:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def date_interval(text: str) -> tuple[str, str]:
    """First and last day of an ISO date that may be partial. Raises ValueError with what is wrong."""
    parts = _DATE.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is not a date; write it as 2024, 2024-03 or 2024-03-31")
    year, month, day = (None if part is None else int(part) for part in parts.groups())
    assert year is not None
    try:
        first = datetime.date(year, month or 1, day or 1)
        last_month = month or _DECEMBER
        last = datetime.date(year, last_month, day or calendar.monthrange(year, last_month)[1])
    except ValueError as error:
        raise ValueError(f"{text!r} is not in the calendar") from error
    return first.isoformat(), last.isoformat()


# --- private ---------------------------------------------------------------------------------------

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DECEMBER = 12


class _Span(NamedTuple):
    """From first to last; what is compared is of one kind, which `check` has seen to."""

    first: Any
    last: Any

    def inside(self, other: _Span) -> bool:
        return bool(other.first <= self.first and self.last <= other.last)


_TESTS: Mapping[Operator, Callable[[_Span, tuple[_Span, ...]], bool]] = MappingProxyType(
    {
        Operator.EQ: lambda value, asked: value.inside(asked[0]),
        Operator.NE: lambda value, asked: not value.inside(asked[0]),
        Operator.IN: lambda value, asked: any(value.inside(one) for one in asked),
        Operator.NOT_IN: lambda value, asked: not any(value.inside(one) for one in asked),
        Operator.LT: lambda value, asked: bool(value.last < asked[0].first),
        Operator.LE: lambda value, asked: bool(value.last <= asked[0].last),
        Operator.GT: lambda value, asked: bool(value.first > asked[0].last),
        Operator.GE: lambda value, asked: bool(value.first >= asked[0].first),
        Operator.BETWEEN: lambda value, asked: value.inside(_Span(asked[0].first, asked[1].last)),
        Operator.BEFORE: lambda value, asked: bool(value.last < asked[0].first),
        Operator.AFTER: lambda value, asked: bool(value.first > asked[0].last),
    }
)


def _compare(compare: Compare, case: Case) -> bool:
    values = field_values(case, compare.field)
    if compare.operator is Operator.EXISTS:
        return bool(values) == compare.value
    asked = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    if compare.operator is Operator.MATCHES:
        return any(matches_glob(str(value), str(asked[0])) for value in values)
    kind = _kind(compare.field)
    spans = tuple(_span(kind, one) for one in asked)
    return any(_TESTS[compare.operator](_span(kind, value), spans) for value in values)


def _span(kind: Kind, value: Scalar) -> _Span:
    return _Span(*date_interval(str(value))) if kind is Kind.DATE else _Span(value, value)


def _kind(name: str) -> Kind:
    field = field_named(name)
    if field is None:
        raise UnknownNameError("field", name, FIELDS)
    return field.kind
