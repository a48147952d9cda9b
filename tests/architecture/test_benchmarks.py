"""A committed result belongs to today's code, or says that it does not."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from method_table import auto_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
#: What scripts share: these have no result of their own.
LIBRARIES = frozenset(
    {
        "deeper_cells",
        "deeper_ranking",
        "demo_cells",
        "nights_world",
        "evidence",
        "fashion_arms",
        "fashion_cases",
        "fashion_report",
        "ham_cases",
        "ham_page",
        "method_cells",
        "method_lines",
        "method_readings",
        "method_report",
        "method_rows",
        "outside_training",
        "reference_recipe",
    }
)


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evidence", BENCHMARKS / "evidence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


evidence = load()


def test_every_script_has_its_sources_and_its_result() -> None:
    scripts = {path.stem for path in BENCHMARKS.glob("*.py")} - LIBRARIES
    results = {path.stem for path in (BENCHMARKS / "results").glob("*.json")}
    assert scripts == set(evidence.HANGS_ON) == results


@pytest.mark.parametrize("name", sorted(evidence.HANGS_ON))
def test_every_pattern_finds_something(name: str) -> None:
    for pattern in evidence.HANGS_ON[name]:
        assert list(evidence.ROOT.glob(pattern)), pattern


@pytest.mark.parametrize("name", sorted(evidence.HANGS_ON))
def test_a_result_of_earlier_code_says_so(name: str) -> None:
    document = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text())
    said = (BENCHMARKS / "results" / f"{name}.md").read_text().startswith(evidence.STALE)
    assert said == (document["code"] != evidence.code_digest(name)), "run `make stale`"


def test_marking_notices_other_code_and_takes_it_back(tmp_path: Path) -> None:
    results = Path(shutil.copytree(BENCHMARKS / "results", tmp_path / "results"))
    name = sorted(evidence.HANGS_ON)[0]
    path = results / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "code": "0" * 64}))
    assert name in evidence.mark(results)
    assert name in evidence.mark(results)
    text = (results / f"{name}.md").read_text()
    assert text.count(evidence.STALE) == 1
    path.write_text(json.dumps({**json.loads(path.read_text()), "code": evidence.code_digest(name)}))
    assert name not in evidence.mark(results)
    assert not (results / f"{name}.md").read_text().startswith(evidence.STALE)


def test_auto_follows_the_committed_table() -> None:
    stories = json.loads((BENCHMARKS / "results" / "method_table.json").read_text())["stories"]
    measured = json.loads((BENCHMARKS.parent / "maintain/unlearn/table/measured.json").read_text())
    assert measured == {"source": "benchmarks/results/method_table.json", **auto_of(stories)}
