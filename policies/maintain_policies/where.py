"""The `where` of a policy: nodes to a predicate, each test checked where it stands."""

from __future__ import annotations

import re

from maintain.predicate import (
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Field,
    Kind,
    Not,
    Operand,
    Operator,
    Part,
    Predicate,
    Shape,
    check,
    field_named,
)
from maintain_policies.language import unknown
from maintain_policies.reading import found_as, read_boolean, read_text, read_value
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Place, Scalar, notes_for, read_tree


def parse_where(text: str, *, source: str) -> Predicate:
    """A predicate on its own, as `{FIELD: VALUE}` or in short FIELD=VALUE. Raises `PolicyError`."""
    notes = notes_for(text, source=source)
    short = _SHORT.fullmatch(text)
    if short is not None:
        key = Scalar(short["field"], True, Place(1, short.start("field") + 1))
        value = Scalar(short["value"], True, Place(1, short.start("value") + 1))
        predicate = _term(key, value, notes)
    else:
        predicate = read_where(read_tree(text, notes), notes)
    if predicate is None or notes.problems:
        raise notes.stop()
    return predicate


def read_where(node: Node, notes: Notes) -> Predicate | None:
    """Tests joined by all; None where something was noted."""
    if isinstance(node, Hole):
        return None
    if not isinstance(node, Pairs):
        notes.add(node.place, f"a where is a mapping of fields to values, found {found_as(node)}")
        return None
    if not node.pairs:
        notes.add(node.place, "a where without a test would match every case")
        return None
    return _joined([_term(key, value, notes) for key, value in node.pairs])


def read_fields(node: Node, notes: Notes, *, name: str) -> str | None:
    """A list of cohort fields, or of products of them (`device.model*image.eye`), as one text."""
    if isinstance(node, Hole):
        return None
    if not isinstance(node, Items) or not node.nodes:
        notes.add(node.place, f"{name} must be a list of fields such as [device.model], found {found_as(node)}")
        return None
    known = len(notes.problems)
    products = [_product(one, notes, name=name) for one in node.nodes]
    if len(set(products)) < len(products):
        notes.add(node.place, f"{name} lists the same fields twice")
    return ", ".join(products) if len(notes.problems) == known else None


# --- private ---------------------------------------------------------------------------------------


def _product(node: Node, notes: Notes, *, name: str) -> str:
    text = read_text(node, notes, name=name)
    fields = [field.strip() for field in (text or "").split("*")]
    for field in fields if text is not None else ():
        if field_named(field) is None:
            notes.add(node.place, check(Compare(field, Operator.EXISTS, True))[0].message)
    return "*".join(fields)


_SHORT = re.compile(r"\s*(?P<field>[A-Za-z][\w.-]*)\s*=\s*(?P<value>[^\r\n]*?)\s*")


def _joined(terms: list[Predicate | None]) -> Predicate | None:
    good = tuple(term for term in terms if term is not None)
    if len(good) < len(terms):
        return None
    return good[0] if len(good) == 1 else AllOf(good)


def _term(key: Scalar, value: Node, notes: Notes) -> Predicate | None:
    match key.text:
        case "all":
            terms = _terms(key, value, notes)
            return AllOf(terms) if terms else None
        case "any":
            terms = _terms(key, value, notes)
            return AnyOf(terms) if terms else None
        case "not":
            term = read_where(value, notes)
            return None if term is None else Not(term)
        case _:
            return _field(key, value, notes)


def _terms(key: Scalar, value: Node, notes: Notes) -> tuple[Predicate, ...]:
    if isinstance(value, Hole):
        return ()
    if not isinstance(value, Items) or not value.nodes:
        notes.add(value.place, f"{key.text} wants a list of tests, each {{FIELD: VALUE}}")
        return ()
    terms = [read_where(node, notes) for node in value.nodes]
    good = tuple(term for term in terms if term is not None)
    return good if len(good) == len(terms) else ()


def _field(key: Scalar, value: Node, notes: Notes) -> Predicate | None:
    field = field_named(key.text)
    if field is None:
        flaws = check(Compare(key.text, Operator.EXISTS, True))
        notes.add(key.place, flaws[0].message)
        return None
    match value:
        case Hole():
            return None
        case Scalar():
            return _compare(field, key, Operator.EQ, key.place, value, notes)
        case Items():
            return _compare(field, key, Operator.IN, key.place, value, notes)
        case Pairs(pairs) if pairs:
            return _joined([_operator(field, key, name, operand, notes) for name, operand in pairs])
        case Pairs():
            notes.add(value.place, f"{key.text} is not tested; write a value or {{OPERATOR: VALUE}}")
            return None


def _operator(field: Field, key: Scalar, name: Scalar, operand: Node, notes: Notes) -> Predicate | None:
    if name.text not in tuple(Operator):
        notes.add(name.place, unknown("operator", name.text, tuple(Operator)))
        return None
    return _compare(field, key, Operator(name.text), name.place, operand, notes)


def _compare(field: Field, key: Scalar, operator: Operator, place: Place, node: Node, notes: Notes) -> Predicate | None:
    if field.kind not in OPERATORS[operator].kinds:
        notes.add(place, check(Compare(key.text, operator, ""))[0].message)
        return None
    operand = _operand(field, key.text, operator, node, notes)
    if operand is None:
        return None
    compare = Compare(key.text, operator, operand)
    flaws = check(compare)
    for flaw in flaws:
        listed = isinstance(node, Items) and flaw.index is not None
        at = node.nodes[flaw.index].place if listed else node.place  # type: ignore[union-attr,index]  # is Items
        notes.add({Part.FIELD: key.place, Part.OPERATOR: place, Part.VALUE: at}[flaw.part], flaw.message)
    return None if flaws else compare


def _operand(field: Field, name: str, operator: Operator, node: Node, notes: Notes) -> Operand | None:
    number = field.kind is Kind.NUMBER
    match OPERATORS[operator].shape:
        case Shape.FLAG:
            return read_boolean(node, notes, name=operator.value)
        case Shape.ONE:
            return read_value(node, notes, name=name, number=number)
        case shape:
            if isinstance(node, Items):
                values = [read_value(one, notes, name=name, number=number) for one in node.nodes]
                return None if None in values else tuple(value for value in values if value is not None)
            if not isinstance(node, Hole):
                notes.add(node.place, f"{operator} wants {shape.value}, found {found_as(node)}")
            return None
