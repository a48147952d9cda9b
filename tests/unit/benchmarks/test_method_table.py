"""Cells are kept only of today's code and options; lines are counted from them as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import evidence
import method_cells
import method_table
import pytest
from evidence import code_of, sources_digest
from method_lines import lines_of
from method_rows import AGAIN, RETRAIN, SEEDS, cell_name, rows_of
from method_table import MAKERS, auto_of, kept_cells, lacking

from maintain.errors import RefusedError

STORY = "examples"


def cell(
    method: str, *, outcome: str = "pass", gradients: int = 100, held_out: float = 0.8, **more: Any
) -> dict[str, Any]:
    row = next(row for row in rows_of(STORY) if row.name == method)
    return {
        "method": row.method,
        "options": row.resolved,
        "code": code_of(row.method),
        "screened": True,
        "outcome": outcome,
        "gates": {"retention": outcome},
        "behaviour": {"forgotten": 0.9, "never_seen": 0.7, "retained": 0.9, "held_out": held_out, "churn": 0.1},
        "auc": 0.5,
        "gradients": gradients,
        "seconds": 1.0,
        "looking": 1.0,
        "steps": 10,
        **more,
    }


def table(**cells: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        cell_name(STORY, seed, name.replace("_", "-")): one
        for name, three in cells.items()
        for seed, one in zip(SEEDS, three, strict=False)
    }


def test_cells_of_other_code_or_other_defaults_are_made_again(tmp_path: Path) -> None:
    good, other, moved = cell("finetune"), cell("msg", code="0" * 64), cell("salun")
    moved["options"] = {**moved["options"], "share": 0.25}
    path = tmp_path / "method_table.json"
    cells = table(finetune=[good], msg=[other], salun=[moved], unheard_of=[good])
    path.write_text(json.dumps({"cells": cells, "makers": sources_digest(MAKERS)}))
    assert list(kept_cells(path)) == [cell_name(STORY, SEEDS[0], "finetune")]
    path.write_text(json.dumps({"cells": cells, "makers": "0" * 64}))
    assert kept_cells(path) == {}
    assert kept_cells(tmp_path / "none.json") == {}


def test_a_cell_hangs_on_its_own_method_and_on_the_loop() -> None:
    assert code_of("msg") != code_of("salun")
    assert {"maintain/unlearn/loop.py"} == set(evidence._files("maintain.unlearn.loop"))
    assert "maintain.unlearn.revision" in evidence._IMPORTED.findall(
        (Path(method_table.__file__).parents[1] / "maintain/unlearn/msg.py").read_text()
    )


def test_a_method_that_refuses_is_a_line_without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RefusedError("It diverged.", remedy="Lower the rate.")

    monkeypatch.setattr(method_cells, "attempt", refuse)
    row = next(row for row in rows_of(STORY) if row.name == "finetune")
    refused = method_cells.cell_of(None, None, row, ())  # type: ignore[arg-type]
    assert refused["refused"] == "It diverged."
    (line, _) = lines_of(STORY, table(finetune=[refused], retrain=[cell(RETRAIN)]))[::-1]
    assert (line["name"], line["passes"], line["refused"], line["figures"]) == ("finetune", 0, ["It diverged."], {})


def test_lines_are_ranked_by_passes_then_cost_and_measured_beside_the_retrain_of_their_hospital() -> None:
    retrains = [cell(RETRAIN, gradients=1000), cell(RETRAIN, gradients=2000), cell(RETRAIN, gradients=1000)]
    cells = table(
        retrain=retrains,
        msg=[cell("msg"), cell("msg", gradients=200, held_out=0.7), cell("msg", outcome="fail")],
        salun=[cell("salun", outcome="not-evaluated")] * 3,
        scrub=[cell("scrub", gradients=50)] * 3,
    )
    lines = lines_of(STORY, cells)
    assert [line["name"] for line in lines] == ["scrub", RETRAIN, "msg", "salun"]
    msg = lines[2]
    assert (msg["passes"], msg["runs"], msg["gates"]) == (2, 3, {"retention": "PPF"})
    assert msg["figures"]["passes / retrain"] == [0.1, 0.1, 0.1]
    assert msg["figures"]["distance"] == pytest.approx([0.1 / 3, 0.0, 0.1], abs=1e-4)
    assert auto_of({"examples": lines, "group": [], "whole-label": []}) == {
        "examples": ["scrub", "msg", "retrain"],
        "group": ["retrain"],
        "whole-label": ["retrain"],
    }


def test_the_table_says_who_passes_and_what_is_missing(tmp_path: Path) -> None:
    cells = table(
        retrain=[cell(RETRAIN, gradients=1000)] * 3, msg=[cell("msg")] * 3, salun=[cell("salun", outcome="fail")] * 3
    )
    cells |= {cell_name(STORY, seed, AGAIN): cell(AGAIN) for seed in SEEDS}
    document = method_table.publish(tmp_path / "method_table.json", cells)
    text = (tmp_path / "method_table.md").read_text()
    assert "Of 2 lines that are no retrain, 1 pass on every hospital (`msg`), 0 on some (none), 1 on none." in text
    assert "| salun | 0/3 | 3/3 | FFF |" in text
    assert "`retention` 1." in text
    assert document["auto"]["examples"] == ["msg", "retrain"]
    assert cell_name("group", SEEDS[0], RETRAIN) in lacking(cells)


def test_the_committed_table_is_written_again_as_it_stands() -> None:
    document = json.loads((evidence.RESULTS / "method_table.json").read_text())
    text = (evidence.RESULTS / "method_table.md").read_text()
    assert method_table.render(document) == text.removeprefix(evidence.STALE)
    assert document["stories"] == {story: lines_of(story, document["cells"]) for story in document["stories"]}


def test_the_table_hangs_on_every_method_and_not_on_its_script(monkeypatch: pytest.MonkeyPatch) -> None:
    hung = evidence.code_digest("method_table")
    monkeypatch.setattr(evidence, "code_of", lambda method: "0" * 64 if method == "msg" else code_of(method))
    assert evidence.code_digest("method_table") != hung
    assert f"benchmarks/{method_table.NAME}.py" not in evidence.HANGS_ON[method_table.NAME]
