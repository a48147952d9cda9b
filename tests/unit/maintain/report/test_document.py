"""The JSON edition: its shape is pinned, the same run gives the same bytes, and nobody can be told by it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from helpers.reporting import reported
from maintain.records import GateResult
from maintain.report import Report, render_json
from maintain.report.document import SCHEMA, VERSION
from maintain.report.shown import nothing_shown
from maintain.vocabulary import Outcome, RunState

#: Another set of keys is another version.
KEYS = {
    1: {
        *("schema", "version", "run", "state", "started", "headline", "claim", "not_to_be_concluded", "error", "model"),
        *("why", "who", "excluded_cases", "method", "outcome", "verdict", "looks", "gate_set", "gates", "panels"),
        *("by_class", "by_camera", "attack", "beside", "attempts", "decisions", "chain", "environment", "seed"),
    }
}


def document(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render_json(report))
    return found


def test_what_is_not_there_says_why() -> None:
    found = document(reported(parts=nothing_shown("The run reached no verdict.")))
    for part in ("by_class", "by_camera", "attack", "beside"):
        assert found[part] == {"not_shown": "The run reached no verdict."}
    assert found["panels"] == []


def test_its_shape_is_that_of_its_version() -> None:
    found = document(reported())
    assert (found["schema"], found["version"]) == (SCHEMA, VERSION)
    assert set(found) == KEYS[VERSION]
    panel = found["panels"][0]
    assert set(panel) == {"title", "cases", "patients", "answers"}
    assert panel["answers"]["candidate"]["accuracy"] == {"value": 0.82, "low": 0.77, "high": 0.86}
    assert found["attack"]["candidate"]["area"]["value"] == 0.82
    assert [one["steps"] for one in found["beside"]["contenders"]] == [1110, 810, 900]


def test_the_same_run_gives_the_same_bytes_whenever_it_is_written() -> None:
    first = reported()
    later = replace(first, ending=replace(first.ending, written="2031-01-01T00:00:00Z"))
    assert render_json(first) == render_json(later)
    assert render_json(first).endswith("}\n")


def test_cases_are_counted_and_not_named() -> None:
    report = reported()
    text = render_json(report)
    assert report.excluded
    assert not any(row.case_id in text for row in report.excluded)
    assert json.loads(text)["excluded_cases"] == len(report.excluded)


def test_a_failed_run_claims_nothing() -> None:
    found = document(reported(RunState.FAILED, Outcome.FAIL, error="it broke"))
    assert found["claim"]["proven"] is False
    assert found["claim"]["sentence"] is None
    assert found["error"] == {"message": "it broke", "remedy": None}
    assert found["model"]["registered"] is None


def test_gates_are_there_whole() -> None:
    report = reported()
    odd = GateResult("held-out", Outcome.NOT_EVALUATED, False, "too few")
    found = document(replace(report, gates=(*report.gates, odd)))["gates"]
    assert [gate["outcome"] for gate in found] == ["pass", "pass", "not-evaluated"]
    assert found[1]["figures"][0]["limit"] == -0.05
