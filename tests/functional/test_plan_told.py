"""`maintain plan` tells what changed since the last run, and what a run would take, by the runs there were."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.commands import say


@pytest.fixture
def lettered(fresh: Path, hospital: Path) -> Path:
    """The trained workspace with the letters in it, and no run."""
    assert say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh).code == 0
    return fresh


def policy_of(workspace: Path) -> Path:
    return workspace / "policies" / "consent.yaml"


def test_a_run_that_does_not_fit_is_warned_of_by_the_plan_and_refused_by_the_run(
    lettered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    planned = say("plan", policy_of(lettered), workspace=lettered)
    assert planned.code == 0
    assert "are free, so `maintain run` would refuse it" in planned.err
    said = say("run", policy_of(lettered), workspace=lettered)
    assert said.code == 2
    assert "bytes at least, and 1000 are free" in said.err
    assert say("runs", "list", "--json", workspace=lettered).document["runs"] == []


def test_before_the_first_run_nothing_is_known_and_no_figure_is_made_up(lettered: Path) -> None:
    said = say("plan", policy_of(lettered), workspace=lettered)
    assert "This is the first run of consent-withdrawal." in said.out
    assert "no recorded run of this network on this machine: not known" in said.out
    document = say("plan", policy_of(lettered), "--json", workspace=lettered).document
    assert document["changed"] == {"first_run": True}
    assert document["expected"]["whole"] is None
    assert {part["name"] for part in document["expected"]["parts"]} == {"retrain", "verify", "register", "report"}
    assert all(part["seconds"] is None for part in document["expected"]["parts"])


def test_after_a_run_the_next_plan_is_held_against_it(ended: Path) -> None:
    (run,) = (ended / "runs").iterdir()
    text = policy_of(ended).read_text(encoding="utf-8").replace("seed: 11", "seed: 12")
    policy_of(ended).write_text(text.replace("margin: 0.15", "margin: 0.12"), encoding="utf-8")
    document = say("plan", policy_of(ended), "--json", workspace=ended).document
    changed, expected = document["changed"], document["expected"]
    assert (changed["run"], changed["state"], changed["same_policy"]) == (run.name, "registered", False)
    assert {change["key"]: (change["before"], change["now"]) for change in changed["terms"]} == {
        "unlearn.seed": ("11", "12"),
        "gates.retention.margin": ("0.15", "0.12"),
    }
    assert changed["matches"] == {"new": 0, "gone": 0}
    assert expected["whole"]["runs"] == [run.name]
    assert expected["whole"]["least"] == pytest.approx(expected["whole"]["most"])
    assert expected["disk"]["measured"]
    said = say("plan", policy_of(ended), workspace=ended)
    assert "unlearn.seed: 11 -> 12" in said.out
    assert "by 1 recorded run here." in said.out
