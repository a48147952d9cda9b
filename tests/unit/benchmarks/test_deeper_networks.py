"""Grounds differ in network and size alone; what is said of a ranking is counted from verdicts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import deeper_networks
import pytest
from deeper_cells import RECIPES, SMALL, Ground, painted, problem_of, rows_of
from deeper_networks import GROUNDS, MAKERS, kept_cells, publish, small_cells
from deeper_ranking import RANKED, ranking, said_of, summary
from evidence import RESULTS, code_of, sources_digest

from maintain.errors import RefusedError
from maintain.hospital import HospitalOptions
from maintain.unlearn import METHODS
from maintain_pipelines.bench import Problem

#: What the small network says in these tests: two refits pass, one is not shown, relabelling fails.
THERE = dict(zip(RANKED, ("pass", "pass", "not-evaluated", "fail", "fail", "fail"), strict=True))
GROUND = GROUNDS[0]
#: Few enough to be painted at once, more than withdraw.
PATIENTS = 20


def verdicts(**changed: str) -> dict[str, dict[str, Any]]:
    moved = {name.replace("_", "-"): verdict for name, verdict in changed.items()}
    return {name: {"outcome": outcome} for name, outcome in {**THERE, **moved}.items()}


def cell(ground: Ground, method: str, **more: Any) -> dict[str, Any]:
    row = next(row for row in rows_of(ground) if row.name == method)
    return {
        "method": row.method,
        "options": row.resolved,
        "code": code_of(row.method),
        "recipe": ground.recipe,
        "outcome": THERE.get(method, "pass"),
        "gates": {"retention": "pass"},
        "behaviour": dict.fromkeys(("forgotten", "never_seen", "retained", "held_out", "churn"), 0.8),
        "auc": 0.5,
        "champion_auc": 0.7,
        "gradients": 100,
        "seconds": 1.0,
        "looking": 1.0,
        **more,
    }


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> Problem:
    """A hospital of few patients in the place of the bench's."""
    few = partial(HospitalOptions, patients=PATIENTS)
    monkeypatch.setattr("maintain_pipelines.bench.ward.HospitalOptions", few)
    monkeypatch.setattr("deeper_cells.HospitalOptions", few)
    return problem_of(Ground(SMALL, 32, 11))


def test_another_size_with_other_cases_is_refused(little: Problem) -> None:
    with pytest.raises(RefusedError, match="other cases"):
        painted(replace(little, cases=little.cases[::-1]), 64)


def test_a_hospital_is_the_same_at_every_size(little: Problem) -> None:
    large = problem_of(Ground("densenet121", 64, 11))
    assert [replace(case, pixels="") for case in little.cases] == [replace(case, pixels="") for case in large.cases]
    assert large.blueprint.input_shape == (3, 64, 64)
    assert large.pixels.load([large.cases[0].pixels]).shape[1:3] == (64, 64)
    assert large.blueprint.network.name == "densenet121"
    assert (large.epochs, large.learning_rate) == RECIPES["densenet121"]


def test_cells_of_other_makers_code_options_or_recipes_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "deeper_networks.json"
    cells = {
        f"{GROUND} retrain": cell(GROUND, "retrain"),
        f"{GROUND} msg": cell(GROUND, "msg", code="0" * 64),
        f"{GROUND} psg": cell(GROUND, "psg", recipe={"epochs": 1}),
        f"{GROUND} warm-restart": cell(GROUND, "warm-restart", options={}),
        "nobody 1 2 msg": cell(GROUND, "msg"),
    }
    path.write_text(json.dumps({"cells": cells, "makers": sources_digest(MAKERS)}))
    assert list(kept_cells(path)) == [f"{GROUND} retrain"]
    path.write_text(json.dumps({"cells": cells, "makers": "0" * 64}))
    assert kept_cells(path) == {}


def test_every_row_is_a_method_and_the_small_network_has_all_of_them() -> None:
    for ground in GROUNDS:
        assert {row.method for row in rows_of(ground)} <= set(METHODS)
        assert set(RANKED) <= {row.name for row in rows_of(ground)}
    found = small_cells(RESULTS / "method_table.json")
    assert {name.split(" ", 3)[3] for name in found} == {row.name for row in rows_of(Ground(SMALL, 32, 11))}


def test_pairs_are_counted_as_kept_turned_or_level() -> None:
    found = ranking(verdicts(msg="fail", psg="not-evaluated"), verdicts())
    assert ("msg", "psg") in found.turned
    assert ("msg", "random-label") in found.level
    assert ("reset-refit", "psg") in found.same
    assert set(found.changed) == {"msg", "psg"}
    slow = [
        (one, other)
        for one in RANKED
        for other in RANKED
        if (order := ("fail", "not-evaluated", "pass")).index(THERE[one]) > order.index(THERE[other])
    ]
    assert sorted((*found.same, *found.turned, *found.level)) == sorted(slow)
    assert not found.holds
    assert ranking(verdicts(), verdicts()).holds


def test_what_is_not_measured_is_not_ranked() -> None:
    here = {name: made for name, made in verdicts().items() if name != "msg"}
    found = ranking({**here, "psg": {"refused": "diverged"}}, verdicts())
    assert not {"msg", "psg"} & set(found.ranked)
    assert "No network has a verdict on every method" in summary({"here": found})


def test_sentences_say_where_the_ranking_holds_and_where_not() -> None:
    held, loose = ranking(verdicts(), verdicts()), ranking(verdicts(warm_restart="fail"), verdicts())
    turned = ranking(verdicts(psg="pass", msg="fail"), verdicts())
    said = summary({"A": held, "B": loose, "C": turned})
    assert "the same order on A" in said
    assert "no longer told apart on B" in said
    assert "turned round on C" in said
    assert "is crossed on C" in said
    assert "crossed on none of 2" in summary({"A": held, "B": loose})
    assert "`psg` above `msg`" in said_of(verdicts(psg="pass", msg="fail"), verdicts())
    assert "`msg` (pass there, fail here)" in said_of(verdicts(psg="pass", msg="fail"), verdicts())
    assert "tells no pair" in said_of(verdicts(), {name: {"outcome": "pass"} for name in RANKED})


def test_the_table_shows_every_ground_and_the_small_network_beside(tmp_path: Path) -> None:
    cells = {f"{GROUND} {row.name}": cell(GROUND, row.name) for row in rows_of(GROUND)}
    cells[f"{GROUND} msg"] = {**cell(GROUND, "msg"), "refused": "It diverged."}
    publish(tmp_path / "deeper_networks.json", cells)
    text = (tmp_path / "deeper_networks.md").read_text()
    assert "## densenet121 at 32 pixels, hospital 11" in text
    assert "## Beside: small-bn at 32 pixels, hospital 11, from the table of methods" in text
    assert "| msg | refused: It diverged. |" in text
    assert "| psg | fail | P---- | 0.80 | 0.80 | 0.80 | 0.80 | 0.80 | 0.50 | 1.00 | 1.00 | 2.00 |" in text
    document = json.loads((tmp_path / "deeper_networks.json").read_text())
    assert deeper_networks.render(document) == text
