"""The schema is the loader's tables in other words: same keys, same names, and it accepts what loads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from maintain.cli.catalogues import catalogues as shipped_catalogues
from maintain.errors import PolicyError
from maintain.predicate import FIELDS, OPERATORS
from maintain_policies import Catalogues, json_schema, parse_policy
from maintain_policies.language import KEYS, Form

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "policies" / "examples").glob("*/policy.yaml"))

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """A validator of the few words that our schema uses; any other word is a failure of the test."""
    rest = set(schema) - {"$schema", "$defs", "title", "description", "default", "examples", "properties"}
    rest -= {"patternProperties"}
    return all(_keyword(word, schema, value, root) for word in sorted(rest, key=lambda word: (word != "type", word)))


def _keyword(word: str, schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    given = schema[word]
    match word:
        case "type":
            names = [given] if isinstance(given, str) else given
            kinds = tuple(kind for name in names for kind in TYPES[name])
            return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        case "additionalProperties":
            return isinstance(value, dict) and all(_property(schema, *pair, root) for pair in value.items())
        case "required":
            return isinstance(value, dict) and set(given) <= set(value)
        case "items":
            return isinstance(value, list) and all(fits(given, one, root) for one in value)
        case "$ref":
            return fits(root["$defs"][given.removeprefix("#/$defs/")], value, root)
        case "oneOf":
            return sum(fits(one, value, root) for one in given) == 1
        case "anyOf":
            return any(fits(one, value, root) for one in given)
        case "not":
            return not fits(given, value, root)
        case "enum":
            return value in given
        case "const":
            return bool(value == given)
        case "pattern":
            return re.search(given, value) is not None
        case _:
            return _bound(word, given, value)


def _bound(word: str, given: Any, value: Any) -> bool:
    match word:
        case "minimum":
            return bool(value >= given)
        case "maximum":
            return bool(value <= given)
        case "exclusiveMinimum":
            return bool(value > given)
        case "minItems" | "minProperties":
            return bool(len(value) >= given)
        case "maxItems" | "maxLength":
            return bool(len(value) <= given)
        case "uniqueItems":
            return len({json.dumps(one) for one in value}) == len(value)
    raise AssertionError(f"this validator does not know {word!r}")


def _property(schema: dict[str, Any], name: str, value: Any, root: dict[str, Any]) -> bool:
    if name in schema["properties"]:
        return fits(schema["properties"][name], value, root)
    patterns = schema.get("patternProperties", {})
    return any(re.search(pattern, name) and fits(one, value, root) for pattern, one in patterns.items())


def base() -> dict[str, Any]:
    return {
        "version": 1,
        "name": "n",
        "owner": "o",
        "reason": "outlier",
        "claim": "never-saw",
        "model": {"name": "m"},
        "forget": {"where": {"site": "a"}},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"clam": "x"},
        {"version": 2},
        {"name": "A B"},
        {"claim": "group"},
        {"owner": []},
        {"schedule": "0 3 * * 0"},
        {"schedule": {"cron": "0 3 * * 0"}},
        {"schedule": {"cron": "0 0 3 * * 0", "zone": "UTC"}},
        {"schedule": {"cron": "@reboot", "zone": "UTC"}},
        {"schedule": {"cron": "0 3 * * 0", "zone": " "}},
        {"approval": {}},
        {"register": {"alias": "champion"}},
        {"nothing_to_forget": "suppress"},
        {"limits": {"max_percent": 0}},
        {"unlearn": {"methods": ["psg"]}},
        {"unlearn": {"methods": []}},
        {"gates": "defalt"},
        {"gates": ["default", {"retention": {"margn": 1}}]},
        {"gates": ["default", {"retention": {"margin": 1}}]},
        {"forget": {"unit": "image"}},
        {"forget": {"where": {}}},
        {"forget": {"where": {"device.modl": "x"}}},
        {"forget": {"where": {"site": {"lt": "x"}}}},
        {"forget": {"where": {"label.": "x"}}},
        {"forget": {"where": {"patient.age": {"between": [1]}}}},
        {"forget": {"where": {"any": []}}},
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(change: dict[str, Any], catalogues: Catalogues) -> None:
    schema = json_schema(catalogues)
    policy = base() | change
    assert not fits(schema, policy, schema)
    with pytest.raises(PolicyError):
        parse_policy(json.dumps(policy), source="-", catalogues=catalogues)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"limits": {"max_patients": 3, "max_percent": 12.5, "max_percent_of_any_label": 60}},
        {"unlearn": {"methods": "auto", "budget": {"steps": 5}, "seed": 0}},
        {"gates": "default@1"},
        {"schedule": {"cron": "0 3 * * 0", "zone": "Europe/Vienna"}},
        {"schedule": {"cron": "@hourly", "zone": "UTC"}},
        {"gates": ["default", {"retention": {"margin": 0.03}}]},
        {"forget": {"where": {"any": [{"label.x": 1}, {"not": {"site": {"exists": False}}}]}, "unit": "eye"}},
        {"forget": {"where": {"study.date": {"between": [2023, "2024-03"]}, "patient.age": [1, 2]}}},
    ],
)
def test_what_the_loader_reads_the_schema_accepts(change: dict[str, Any], catalogues: Catalogues) -> None:
    schema = json_schema(catalogues)
    policy = base() | change
    assert fits(schema, policy, schema)
    parse_policy(json.dumps(policy), source="-", catalogues=catalogues)


@pytest.mark.parametrize("given", [0.2, [0.2], [0.2, 0.1], [], [0.2, 0.2], [-1], ["a"], [[0.2]]])
def test_a_list_of_values_loads_where_it_fits(given: Any, rich: Catalogues) -> None:
    unlearn = {"methods": ["psg", "retrain"], "options": {"psg": {"radius": given}}}
    policy, schema = base() | {"unlearn": unlearn}, json_schema(rich)
    try:
        parse_policy(json.dumps(policy), source="-", catalogues=rich)
    except PolicyError:
        assert not fits(schema, policy, schema)
    else:
        assert fits(schema, policy, schema)


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_the_examples_load_and_fit(path: Path) -> None:
    text, shipped = path.read_text(encoding="utf-8"), shipped_catalogues()
    assert parse_policy(text, source="-", catalogues=shipped).name == path.parent.name
    schema = json_schema(shipped)
    assert fits(schema, yaml.safe_load(text), schema)


def test_every_key_is_in_the_schema_and_no_other(catalogues: Catalogues) -> None:
    found = set(_paths("", json_schema(catalogues)))
    inner = {path for path, key in KEYS.items() if key.form in (Form.OPTIONS, Form.GATES, Form.WHERE)}
    assert {path for path in found if not path.startswith(tuple(f"{one}." for one in inner))} == set(KEYS)


def _paths(prefix: str, schema: dict[str, Any]) -> list[str]:
    below = schema.get("properties", {})
    here = [prefix + name for name in below]
    return here + [path for name, one in below.items() for path in _paths(f"{prefix}{name}.", one)]


def test_every_field_and_operator_is_in_the_schema(rich: Catalogues) -> None:
    definitions = json_schema(rich)["$defs"]
    where = definitions["where"]
    plain = {name for name, field in FIELDS.items() if not field.family}
    assert set(where["properties"]) == plain | {"all", "any", "not"}
    assert len(where["patternProperties"]) == len(FIELDS) - len(plain)
    tests = [definitions[f"{kind}-test"]["anyOf"][2]["properties"] for kind in ("text", "number", "date")]
    assert {name for test in tests for name in test} == {operator.value for operator in OPERATORS}


def test_methods_gates_and_options_come_from_the_catalogues(rich: Catalogues) -> None:
    text = json.dumps(json_schema(rich))
    assert '"const": "psg"' in text
    assert '"min_cases"' in text
    assert '"never-saw", "group"' in text
    assert json.loads(text) == json_schema(rich)
