"""A policy that lists a behavioural method first, through the whole path."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import Said, say
from maintain import codec
from maintain.records import Candidate, MethodRequest, Plan, TrainingManifest
from maintain.vocabulary import OriginKind

METHODS = "unlearn: {methods: [finetune, retrain], options: {finetune: {epochs: 2}}, seed: 11}"


def asked(workspace: Path, hospital: Path, line: str = METHODS) -> Path:
    policy = workspace / "policies" / "consent.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("unlearn: {methods: [retrain], seed: 11}", line), encoding="utf-8")
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    return policy


def run(workspace: Path, policy: Path) -> Said:
    return say("run", policy, "--json", workspace=workspace)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("unlearn: {methods: [finetune], seed: 11}", "finetune cannot support the claim never-saw"),
        ("unlearn: {methods: [retrain, finetune], seed: 11}", "'finetune' is never tried"),
        ("unlearn: {methods: [finetune, retrain], options: {finetune: {epochs: 0}}}", "finetune.epochs must be"),
        ("unlearn: {methods: [fintune, retrain]}", "Did you mean 'finetune'?"),
    ],
)
def test_a_list_of_methods_that_cannot_work_is_refused_with_its_place(
    fresh: Path, hospital: Path, line: str, said: str
) -> None:
    policy = asked(fresh, hospital, line)
    answer = say("policy", "validate", policy, workspace=fresh)
    assert answer.code == 2
    assert said in answer.err
    assert f"{policy.name}:9:" in answer.err


def test_a_consent_run_leaves_the_control_and_ends_in_a_retrain(fresh: Path, hospital: Path) -> None:
    policy = asked(fresh, hospital)
    planned = say("plan", policy, workspace=fresh)
    assert "finetune, else retrain" in planned.out
    said = run(fresh, policy)
    assert said.code == 0, said.out + said.err
    (folder,) = (fresh / "runs").iterdir()
    plan = codec.read(folder / "01-plan.json", Plan)
    first, second = plan.slots
    assert [method.name for method in first.methods] == ["finetune", "retrain"]
    assert {option.name: option.value for option in first.methods[0].options}["epochs"] == 2
    assert second.methods == (MethodRequest("retrain", ()),)
    candidate = codec.read(folder / "02-candidate.json", Candidate)
    left, taken = candidate.decisions
    assert (left.method, left.chosen, left.reason) == ("finetune", False, "It cannot support the claim never-saw.")
    assert (taken.method, taken.chosen, candidate.method) == ("retrain", True, "retrain")
    assert taken.steps > 0
    assert [figure.name for figure in taken.figures] == ["retained accuracy lost"]
    manifest = codec.read(folder / "02-manifest.json", TrainingManifest)
    assert manifest.origin.kind is OriginKind.INITIALISATION
    report = (folder / "05-report.html").read_text(encoding="utf-8")
    assert "It cannot support the claim never-saw." in report
    assert "retained accuracy lost" in report
