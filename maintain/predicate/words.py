"""A predicate in words: for plans, for reasons, for digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from maintain.errors import nearest_name
from maintain.hashing import canonical_json
from maintain.predicate.evaluate import matches
from maintain.predicate.fields import field_named, field_values
from maintain.predicate.tree import OPERATORS, AllOf, AnyOf, Compare, Kind, Not, Operator, Predicate
from maintain.records import Case, Scalar


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that a predicate names and no case has, with the nearest that one has."""

    field: str
    value: str
    nearest: str | None


def describe(predicate: Predicate) -> str:
    """The predicate as one readable line."""
    match predicate:
        case Compare():
            return _describe_compare(predicate)
        case AllOf(terms):
            return " and ".join(_inner(term) for term in terms)
        case AnyOf(terms):
            return " or ".join(_inner(term) for term in terms)
        case Not(term):
            return f"not ({describe(term)})"


def explain(predicate: Predicate, case: Case) -> str:
    """The part of the predicate that the case matched. Raises ValueError if it does not match.

    Says nothing of the case that the policy does not say itself, so a reason never discloses an
    age or a date to whoever may read a plan.
    """
    if not matches(predicate, case):
        raise ValueError("a case that does not match has no reason to be selected")
    match predicate:
        case Compare(field, Operator.IN, tuple() as asked):
            hits = [one for one in asked if matches(Compare(field, Operator.EQ, one), case)]
            return " and ".join(describe(Compare(field, Operator.EQ, hit)) for hit in hits)
        case AllOf(terms) | AnyOf(terms):
            return " and ".join(explain(term, case) for term in terms if matches(term, case))
        case _:
            return describe(predicate)


def unmet(predicate: Predicate, case: Case) -> str:
    """The part of the predicate that the case did not meet. Raises ValueError if it matches.

    Like `explain` it says nothing of the case that the policy does not say itself.
    """
    if matches(predicate, case):
        raise ValueError("a case that matches has nothing left to meet")
    match predicate:
        case AllOf(terms):
            return " and ".join(_inner_unmet(term, case) for term in terms if not matches(term, case))
        case _:
            return describe(predicate)


def plain(predicate: Predicate) -> dict[str, object]:
    """The meaning as plain JSON values: order that means nothing is put in order, for digests."""
    match predicate:
        case Compare(field, operator, value):
            if isinstance(value, tuple):
                ordered = list(value) if operator is Operator.BETWEEN else sorted(set(value), key=canonical_json)
                return {"field": field, "operator": operator.value, "value": ordered}
            return {"field": field, "operator": operator.value, "value": value}
        case AllOf(terms):
            return {"all": sorted((plain(term) for term in terms), key=canonical_json)}
        case AnyOf(terms):
            return {"any": sorted((plain(term) for term in terms), key=canonical_json)}
        case Not(term):
            return {"not": plain(term)}


def asked_fields(predicate: Predicate) -> frozenset[str]:
    """The fields that the predicate tests."""
    return frozenset(compare.field for compare in _compares(predicate))


def absent_values(predicate: Predicate, cases: Sequence[Case]) -> tuple[Absent, ...]:
    """`absent_among` over these cases."""
    return absent_among(predicate, lambda field: {str(value) for case in cases for value in field_values(case, field)})


def absent_among(predicate: Predicate, known_of: Callable[[str], Collection[str]]) -> tuple[Absent, ...]:
    """Texts that the predicate names by eq or in and no case ever had: most likely typing errors.

    `known_of` gives the values of a field. Fields with a closed vocabulary are left out: a status
    that nobody has yet is no mistake.
    """
    found = []
    for compare in _compares(predicate):
        field = field_named(compare.field)
        if field is None or field.kind is not Kind.TEXT or field.choices:
            continue
        if compare.operator not in (Operator.EQ, Operator.IN):
            continue
        known = known_of(compare.field)
        asked = compare.value if isinstance(compare.value, tuple) else (compare.value,)
        missing = [str(value) for value in asked if value not in known]
        found += [Absent(compare.field, value, nearest_name(value, sorted(known))) for value in missing]
    return tuple(found)


# --- private ---------------------------------------------------------------------------------------


def _describe_compare(compare: Compare) -> str:
    words = OPERATORS[compare.operator].words
    if compare.operator is Operator.EXISTS:
        return f"{compare.field} {'exists' if compare.value else 'does not exist'}"
    if not isinstance(compare.value, tuple):
        return f"{compare.field} {words} {_quoted(compare.value)}"
    joint = " and " if compare.operator is Operator.BETWEEN else ", "
    return f"{compare.field} {words} {joint.join(_quoted(one) for one in compare.value)}"


def _quoted(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)


def _inner(term: Predicate) -> str:
    return f"({describe(term)})" if isinstance(term, AllOf | AnyOf) else describe(term)


def _inner_unmet(term: Predicate, case: Case) -> str:
    said = unmet(term, case)
    return f"({said})" if isinstance(term, AnyOf) else said


def _compares(predicate: Predicate) -> Iterable[Compare]:
    match predicate:
        case Compare():
            yield predicate
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from _compares(term)
        case Not(term):
            yield from _compares(term)
