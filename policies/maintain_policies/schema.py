"""A JSON Schema of the policy language for editors, derived from the tables that the loader reads by."""

from __future__ import annotations

from typing import Any, TypeAlias

from maintain.options import Option
from maintain.predicate import FIELDS, OPERATORS, Field, Kind, Operator, Shape
from maintain.vocabulary import Claim
from maintain_policies.catalogues import Catalogues, GateEntry, MethodEntry
from maintain_policies.choices import AUTO
from maintain_policies.language import MOST_COMBINATIONS, Form, Key, children, not_yet

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(catalogues: Catalogues) -> Schema:
    """The schema of a policy that may name what these catalogues have."""
    definitions = {"where": _where(), **{f"{kind}-test": _test(kind) for kind in Kind}}
    return {"$schema": DIALECT, "title": "maintain policy", **_mapping("", catalogues), "$defs": definitions}


# --- private: keys ---------------------------------------------------------------------------------


def _mapping(prefix: str, catalogues: Catalogues) -> Schema:
    known = children(prefix)
    properties = {name: _key(f"{prefix}.{name}" if prefix else name, key, catalogues) for name, key in known.items()}
    required = [name for name, key in known.items() if key.required]
    return _closed(properties) | ({"required": required} if required else {})


def _key(path: str, key: Key, catalogues: Catalogues) -> Schema:
    schema: Schema = {"description": key.doc}
    if key.default is not None:
        schema["default"] = key.default
    match key.form:
        case Form.LATER:
            return {"description": not_yet(path), "not": {}}
        case Form.MAPPING:
            return schema | _mapping(path, catalogues)
        case Form.TEXT:
            return schema | {"type": "string", "pattern": f"^{key.pattern}$", "maxLength": key.longest}
        case Form.CHOICE:
            return schema | {"enum": list(_choices(path, key, catalogues))}
        case Form.INTEGER | Form.NUMBER:
            return schema | _number(key)
        case Form.WHERE:
            return schema | {"$ref": "#/$defs/where"}
        case Form.METHODS:
            return schema | _methods(catalogues)
        case Form.OPTIONS:
            return schema | _closed({method.name: _tried(method) for method in catalogues.methods if method.options})
        case Form.GATES:
            return schema | _gates(catalogues)


def _choices(path: str, key: Key, catalogues: Catalogues) -> tuple[str, ...]:
    if path != "claim":
        return key.choices
    provable = {claim for gate in catalogues.gates if gate.forgetting for claim in gate.claims}
    return tuple(choice for choice in key.choices if choice in provable)


def _number(key: Key) -> Schema:
    bounds = {"minimum": key.minimum, "exclusiveMinimum": key.above, "maximum": key.maximum}
    kind = "integer" if key.form is Form.INTEGER else "number"
    return {"type": kind, **{name: bound for name, bound in bounds.items() if bound is not None}}


def _methods(catalogues: Catalogues) -> Schema:
    named: Schema = {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"oneOf": [{"const": method.name, "description": method.doc} for method in catalogues.methods]},
    }
    return {"oneOf": [{"const": AUTO}, named]}


def _tried(method: MethodEntry) -> Schema:
    """Options of a method: a value each or, where it is measured before it goes on, a list of values."""
    if Claim.NEVER_SAW in method.claims:
        return _options(method.options)
    return _closed({entry.name: _value_or_list(_option(entry)) for entry in method.options})


def _value_or_list(value: Schema) -> Schema:
    described: Schema = {name: value[name] for name in ("description", "default") if name in value}
    one = {name: said for name, said in value.items() if name not in described}
    listed = {"type": "array", "minItems": 1, "maxItems": MOST_COMBINATIONS, "uniqueItems": True, "items": one}
    return {**described, "anyOf": [one, listed]}


def _gates(catalogues: Catalogues) -> Schema:
    names = [name for entry in catalogues.gate_sets for name in (entry.alias, entry.name) if name]
    gates = [gate.name for gate in catalogues.gates]
    changed = _closed({gate.name: _gate(gate) for gate in catalogues.gates}) | {"minProperties": 1}
    listed = {"type": "array", "minItems": 1, "items": {"anyOf": [{"enum": names + gates}, changed]}}
    return {"oneOf": [{"enum": names}, listed]}


def _gate(gate: GateEntry) -> Schema:
    return {"description": gate.doc, **_options(gate.options)}


def _options(entries: tuple[Option, ...]) -> Schema:
    return _closed({entry.name: _option(entry) for entry in entries})


def _option(entry: Option) -> Schema:
    if entry.kind == "fields":
        fields = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}}
        return {"description": entry.doc, **fields}
    bounds = {"minimum": entry.minimum, "maximum": entry.maximum, "enum": list(entry.choices) or None}
    schema: Schema = {"description": entry.doc, "type": entry.kind, "default": entry.default}
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


# --- private: where --------------------------------------------------------------------------------


def _where() -> Schema:
    listed = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/where"}}
    properties: Schema = {"all": listed, "any": listed, "not": {"$ref": "#/$defs/where"}}
    properties |= {field.name: _field(field) for field in FIELDS.values() if not field.family}
    families = {
        f"^{field.prefix.replace('.', '[.]')}[A-Za-z0-9][A-Za-z0-9_.-]*$": _field(field)
        for field in FIELDS.values()
        if field.family
    }
    return _closed(properties) | {"minProperties": 1, "patternProperties": families}


def _field(field: Field) -> Schema:
    schema: Schema = {"description": field.doc, "$ref": f"#/$defs/{field.kind}-test"}
    return schema | ({"examples": list(field.choices)} if field.choices else {})


def _test(kind: Kind) -> Schema:
    """What a field of a kind may be held against: a value, a list, or operators."""
    value = _VALUES[kind]
    shapes: dict[Shape, Schema] = {
        Shape.ONE: value,
        Shape.MANY: {"type": "array", "minItems": 1, "items": value},
        Shape.PAIR: {"type": "array", "minItems": 2, "maxItems": 2, "items": value},
        Shape.FLAG: {"type": "boolean"},
    }
    tests = {
        operator.value: shapes[rule.shape] | {"description": rule.doc}
        for operator, rule in OPERATORS.items()
        if kind in rule.kinds
    }
    named = _closed(tests) | {"minProperties": 1}
    return {"anyOf": [shapes[OPERATORS[Operator.EQ].shape], shapes[OPERATORS[Operator.IN].shape], named]}


#: What editors see where the loader reads text as written: 12 and true are words there too.
_VALUES: dict[Kind, Schema] = {
    Kind.TEXT: {"type": ["string", "number", "boolean"]},
    Kind.NUMBER: {"type": "number"},
    Kind.DATE: {"type": ["string", "integer"]},
}
