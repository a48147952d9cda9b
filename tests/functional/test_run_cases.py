"""`maintain runs cases`: asked of a run as people ask it, and with what it cannot answer."""

from __future__ import annotations

from pathlib import Path

from helpers.commands import say


def run_of(workspace: Path) -> str:
    (folder,) = (workspace / "runs").iterdir()
    return folder.name


def test_what_it_cannot_answer_is_refused_with_a_reason(ended: Path) -> None:
    run = run_of(ended)
    for arguments, code, told in (
        (("nobody", "--changed"), 2, "There is no run called 'nobody'"),
        ((run, "--changed", "--role", "forget"), 3, "Name another role"),
        ((run, "--role", "learn"), 2, "Its roles are: forget, retain"),
        ((run, "--role", "holdouts"), 2, "'holdouts' is not one of"),
        ((run, "--limit", "0"), 2, "--limit"),
    ):
        said = say("runs", "cases", *arguments, workspace=ended)
        assert (said.code, said.out) == (code, "")
        assert told in said.err
    next((ended / "runs" / run).glob("roles-*")).unlink()
    said = say("runs", "cases", run, "--changed", workspace=ended)
    assert said.code == 3
    assert "The list roles of" in said.err


def test_cases_are_told_with_reason_and_decisions(ended: Path) -> None:
    run = run_of(ended)
    whole = say("runs", "cases", run, "--json", "--limit", 10_000, workspace=ended).document
    forgotten = say("runs", "cases", run, "--role", "forget", "--json", workspace=ended).document
    assert (whole["schema"], whole["version"], whole["slot"]) == ("maintain.cli.runs-cases", 1, 1)
    assert whole["total"] == len(whole["cases"])
    assert {case["reason"] for case in forgotten["cases"]} == {'consent.status is "withdrawn"'}
    changed = say("runs", "cases", run, "--changed", "--json", "--limit", 10_000, workspace=ended).document
    by_hand = [
        case for case in whole["cases"] if case["role"] == "holdout" and case["old"]["label"] != case["new"]["label"]
    ]
    assert sorted(case["case_id"] for case in changed["cases"]) == [case["case_id"] for case in by_hand]
    assert sum(changed["changes"].values()) == changed["total"] == len(by_hand)
    said = say("runs", "cases", run, "--changed", "--limit", 1, workspace=ended)
    held_out = sum(case["role"] == "holdout" for case in whole["cases"])
    assert f"{held_out} holdout images" in said.out
