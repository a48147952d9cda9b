"""A predicate as SQL: the same answer as the evaluator in `maintain.predicate`, given by the database.

Every test becomes an expression that is true or false and never NULL, so that `not` is the plain
complement here too. A test in the suite draws predicates and cohorts and holds the two together.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, not_, or_, select, true

from maintain.database import tables
from maintain.errors import UnknownNameError
from maintain.predicate import FIELDS, AllOf, AnyOf, Compare, Kind, Not, Operator, Predicate, date_interval, field_named
from maintain.records import Scalar

#: Tests of one predicate that are handed to the database; SQLite refuses expressions deeper than 1000.
MOST_TESTS = 300

#: Characters of a glob that are handed to the database; SQLite refuses patterns above 50,000 bytes.
LONGEST_GLOB = 5_000

Test: TypeAlias = Callable[[ColumnElement[Any]], ColumnElement[bool]]


def condition(predicate: Predicate) -> ColumnElement[bool]:
    """The predicate over the joined rows of `reading.joined`. Raises `UnknownNameError` for a field of no table."""
    match predicate:
        case Compare():
            return _compare(predicate)
        case AllOf(terms):
            return and_(*(condition(term) for term in terms))
        case AnyOf(terms):
            return or_(*(condition(term) for term in terms))
        case Not(term):
            return not_(condition(term))


def fits(predicate: Predicate) -> bool:
    """Whether the database can take the predicate; a longer one is for the evaluator."""
    return _size(predicate) <= MOST_TESTS


def known_values(field: str) -> Select[Any]:
    """Every value of a text field that some case ever had; of a label also the corrected ones."""
    label, device, score = tables.label, tables.device, tables.score
    if field in _COLUMNS:
        column = _COLUMNS[field]
        return select(column.label("value")).where(column.is_not(None)).distinct()
    if field == _SOFTWARE:
        each = func.json_each(device.c.software).table_valued("value")
        return select(each.c.value).select_from(device.join(each, true())).distinct()
    family, name = _member(field)
    if family == _SCORE_FAMILY:
        return select(score.c.value).where(score.c.name == name).distinct()
    return select(label.c.value).where(label.c.name == name).distinct()


def listed(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether the column is one of these texts, in one parameter however many there are."""
    each = func.json_each(json.dumps(sorted(values))).table_valued("value")
    return column.in_(select(each.c.value))


# --- private ---------------------------------------------------------------------------------------

_IMAGE, _SERIES, _STUDY, _PATIENT = tables.image_case, tables.series, tables.study, tables.patient
_DEVICE, _LABEL, _SCORE = tables.device, tables.label, tables.score
_ABOUT, _WISH = tables.request_case, tables.request

_SOFTWARE, _SCORE_FAMILY, _REQUEST = "device.software", "score.NAME", "request.status"

#: Where each field with one value stands.
_COLUMNS: Mapping[str, ColumnElement[Any]] = MappingProxyType(
    {
        "patient.sex": _PATIENT.c.sex,
        "patient.age": _IMAGE.c.age,
        "study.date": _STUDY.c.study_date,
        "device.manufacturer": _DEVICE.c.manufacturer,
        "device.model": _DEVICE.c.model,
        "device.model_raw": _DEVICE.c.model_raw,
        "device.serial": _DEVICE.c.serial,
        "device.station": _DEVICE.c.station,
        "site": _STUDY.c.site,
        "image.eye": _IMAGE.c.eye,
        "consent.status": _PATIENT.c.consent,
    }
)

#: Whole numbers beyond these do not fit the database; no age comes near them.
_LARGEST = 2**62

_YEAR, _MONTH = len("2024"), len("2024-03")


class _Span(NamedTuple):
    """From first to last: columns on the side of the data, plain values on the side of the policy."""

    first: Any
    last: Any


def _size(predicate: Predicate) -> int:
    match predicate:
        case Compare(_, Operator.MATCHES, str() as glob):
            return 1 if len(glob) <= LONGEST_GLOB else MOST_TESTS + 1
        case Compare(name, _, tuple() as asked) if _kind(name) is not Kind.TEXT:
            return len(asked)
        case Compare():
            return 1
        case AllOf(terms) | AnyOf(terms):
            return 1 + sum(_size(term) for term in terms)
        case Not(term):
            return 1 + _size(term)


def _compare(compare: Compare) -> ColumnElement[bool]:
    kind = _kind(compare.field)
    if compare.operator is Operator.EXISTS:
        there = _any(compare.field, None)
        return there if compare.value else not_(there)
    return _any(compare.field, _test(kind, compare))


def _any(field: str, test: Test | None) -> ColumnElement[bool]:
    """Whether some value of the field passes; without a test, whether there is one."""
    if field in _COLUMNS:
        column = _COLUMNS[field]
        return column.is_not(None) if test is None else and_(column.is_not(None), test(column))
    if field == _SOFTWARE:
        each = func.json_each(_DEVICE.c.software).table_valued("value")
        values = select(literal(1)).select_from(each).correlate(_DEVICE)
        return exists(values if test is None else values.where(test(each.c.value)))
    if field == _REQUEST:
        about = (
            select(literal(1))
            .select_from(_ABOUT)
            .join(_WISH, _WISH.c.request == _ABOUT.c.request)
            .where(_ABOUT.c.case_id == _IMAGE.c.case_id)
            .correlate(_IMAGE)
        )
        return exists(about if test is None else about.where(test(_WISH.c.state)))
    family, name = _member(field)
    if family == _SCORE_FAMILY:
        scored = select(literal(1)).where(_SCORE.c.case_id == _IMAGE.c.case_id, _SCORE.c.name == name).correlate(_IMAGE)
        return exists(scored if test is None else scored.where(test(_SCORE.c.value)))
    return _any_answer(name, test)


def _any_answer(name: str, test: Test | None) -> ColumnElement[bool]:
    """Whether the latest answer of that label passes; without a test, whether there is one."""
    newer = _LABEL.alias()
    latest = (
        select(func.max(newer.c.version))
        .where(newer.c.case_id == _IMAGE.c.case_id, newer.c.name == name)
        .correlate(_IMAGE)
        .scalar_subquery()
    )
    answers = (
        select(literal(1))
        .where(_LABEL.c.case_id == _IMAGE.c.case_id, _LABEL.c.name == name, _LABEL.c.version == latest)
        .correlate(_IMAGE)
    )
    return exists(answers if test is None else answers.where(test(_LABEL.c.value)))


def _member(field: str) -> tuple[str, str]:
    """The family a field is of, and its name in it."""
    family = field_named(field)
    if family is None or not family.family:
        raise UnknownNameError("field", field, FIELDS)
    return family.name, field.removeprefix(family.prefix)


def _kind(name: str) -> Kind:
    field = field_named(name)
    if field is None:
        raise UnknownNameError("field", name, FIELDS)
    return field.kind


def _test(kind: Kind, compare: Compare) -> Test:
    asked = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    if kind is Kind.TEXT:
        return _text_test(compare.operator, tuple(str(one) for one in asked))
    spans = tuple(_asked(kind, one) for one in asked)
    return lambda column: _SPAN_TESTS[compare.operator](_stored(kind, column), spans)


def _text_test(operator: Operator, asked: tuple[str, ...]) -> Test:
    texts = [text for text in asked if _storable(text)]
    if operator is Operator.MATCHES:
        # GLOB reads [...] as a class; a bracket in a class of its own is the bracket itself
        return lambda column: column.bool_op("GLOB")(texts[0].replace("[", "[[]")) if texts else false()
    if operator in (Operator.EQ, Operator.IN):
        return lambda column: _among(column, texts)
    return lambda column: not_(_among(column, texts))


def _among(column: ColumnElement[Any], texts: list[str]) -> ColumnElement[bool]:
    return column == texts[0] if len(texts) == 1 else listed(column, texts)


def _storable(text: str) -> bool:
    """Whether the database could hold the text at all; what it cannot hold, no case has."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _asked(kind: Kind, value: Scalar) -> _Span:
    if kind is Kind.DATE:
        first, last = date_interval(str(value))
        year, month, day = (int(part) for part in last.split("-"))
        ends = day == calendar.monthrange(year, month)[1]
        return _Span(first, f"{last[:_MONTH]}-31" if ends else last)
    if isinstance(value, str):
        raise TypeError("a number is compared with numbers")
    number = max(-_LARGEST, min(_LARGEST, value)) if isinstance(value, int) else value
    return _Span(number, number)


def _stored(kind: Kind, column: ColumnElement[Any]) -> _Span:
    """A stored date from its first day to its last; each month is written as ending on its 31st.

    So are asked dates that end a month, which keeps their order and needs no calendar in SQL.
    """
    if kind is not Kind.DATE:
        return _Span(column, column)
    digits = func.length(column)
    first = case((digits == _YEAR, column + "-01-01"), (digits == _MONTH, column + "-01"), else_=column)
    last = case((digits == _YEAR, column + "-12-31"), (digits == _MONTH, column + "-31"), else_=column)
    return _Span(first, last)


def _inside(value: _Span, asked: _Span) -> ColumnElement[bool]:
    if value.first is value.last and asked.first == asked.last:
        same: ColumnElement[bool] = value.first == asked.first
        return same
    return and_(value.first >= asked.first, value.last <= asked.last)


def _inside_any(value: _Span, asked: tuple[_Span, ...]) -> ColumnElement[bool]:
    return or_(*(_inside(value, one) for one in asked))


#: The table of the evaluator, once more.
_SPAN_TESTS: Mapping[Operator, Callable[[_Span, tuple[_Span, ...]], ColumnElement[bool]]] = MappingProxyType(
    {
        Operator.EQ: lambda value, asked: _inside(value, asked[0]),
        Operator.NE: lambda value, asked: not_(_inside(value, asked[0])),
        Operator.IN: _inside_any,
        Operator.NOT_IN: lambda value, asked: not_(_inside_any(value, asked)),
        Operator.LT: lambda value, asked: value.last < asked[0].first,
        Operator.LE: lambda value, asked: value.last <= asked[0].last,
        Operator.GT: lambda value, asked: value.first > asked[0].last,
        Operator.GE: lambda value, asked: value.first >= asked[0].first,
        Operator.BETWEEN: lambda value, asked: and_(value.first >= asked[0].first, value.last <= asked[1].last),
        Operator.BEFORE: lambda value, asked: value.last < asked[0].first,
        Operator.AFTER: lambda value, asked: value.first > asked[0].last,
    }
)
