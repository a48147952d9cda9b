"""What a candidate cost, keeps and changes: nothing is guessed, and no step is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from helpers.behaviour import examples_evidence, group_evidence
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence
from maintain.records import Decision, Measurements, Verdict
from maintain.report import Comparison
from maintain.settings import Settings, Workspace
from maintain.vocabulary import Claim, Outcome, Role
from maintain_pipelines.context import Context, silence
from maintain_pipelines.reporting import beside
from maintain_pipelines.reporting.beside import comparison_of
from maintain_pipelines.reporting.evidence import Left
from maintain_pipelines.rundir import LOG, RunFolder
from maintain_registry import MemoryStore


def compared(root: Path, evidence: Evidence, *decisions: Decision) -> Comparison:
    nothing = cast("Any", None)
    context = Context(Workspace(root, Settings()), nothing, nothing, MemoryStore(), nothing, nothing, silence())
    candidate = replace(evidence.candidate, method="reset-refit", decisions=decisions)
    references = tuple(check.weights for check in evidence.references if evidence.plan.claim is Claim.GROUP)
    verdict = Verdict("c" * 64, 1, Outcome.PASS, "because", (), "m" * 64, 1, references=references)
    left = Left(RunFolder(root), evidence.plan, evidence.roles, candidate, verdict, evidence.log)
    return comparison_of(left, replace(evidence, candidate=candidate), context)


def test_where_held_out_cases_were_not_measured_nothing_is_compared(tmp_path: Path) -> None:
    evidence = examples_evidence()
    kept = tuple(row for row in evidence.measurements.rows if row.role is not Role.HOLDOUT)
    with pytest.raises(NotEvaluatedError, match="holdout"):
        compared(tmp_path, replace(evidence, measurements=Measurements(kept)))


def test_what_nobody_noted_is_not_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "recipe_steps", lambda *_: 900)
    champion, candidate, retrain = compared(tmp_path, examples_evidence()).contenders
    assert (champion.steps, champion.images, champion.seconds) == (None, None, None)
    assert champion.churn is None
    assert candidate.seconds is None
    assert not retrain.made
    assert retrain.steps == 900
    assert retrain.images is None


def test_every_step_of_the_candidate_counts_and_those_that_were_left_are_told(tmp_path: Path) -> None:
    evidence = examples_evidence()
    steps = evidence.log.steps
    found = compared(tmp_path, evidence, Decision("psg", False, "no", 70), Decision("x", True, "yes", steps + 40))
    assert found.contenders[1].steps == steps + 40
    assert f"those after {steps} steps" in found.note
    assert "another 70 steps" in found.note


def test_seconds_are_those_of_the_log(tmp_path: Path) -> None:
    lines = (
        '{"event": "unlearn-ended", "slot": 2, "seconds": 9}',
        "broken",
        '{"event": "unlearn-ended", "slot": 1, "seconds": 3.5}',
    )
    (tmp_path / LOG).write_text("\n".join(lines), encoding="utf-8")
    assert compared(tmp_path, examples_evidence()).contenders[1].seconds == 3.5


def test_references_stand_beside_the_candidate(tmp_path: Path) -> None:
    evidence = group_evidence()
    found = compared(tmp_path, evidence)
    names = [one.name for one in found.contenders]
    assert names[2:] == ["reference 1 of 3", "reference 2 of 3", "reference 3 of 3"]
    assert all(one.accuracy is not None and one.churn is not None for one in found.contenders[1:])
    assert "could be released instead" in found.note
