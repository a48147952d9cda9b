"""Policies that claim behaviour, planned and run through the command line: what they may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import Said, say
from maintain import codec
from maintain.records import Plan, RoleTable, Strata, Verdict
from maintain.unlearn.table.measured import measured_choices
from maintain.vocabulary import Role, Situation
from maintain_pipelines import run

POLICY = """\
version: 1
name: tried
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: {claim}
model: {{name: fundus-triage}}
forget:
  where: {where}
limits: {{max_percent: 100}}
unlearn: {{methods: [finetune, retrain], options: {{finetune: {{epochs: 1}}}}, seed: 11}}
gates: [default, {{retention: {{margin: 0.15, by: {by}}}}}]
"""

#: Some patients of each device, and all of one device.
SOME, DEVICE = "{patient.age: {gt: 70}}", "{device.model: Cirrus 800 FA}"

#: All of one label.
LABEL = "{label.diagnosis: drusen}"


def policy(workspace: Path, claim: str, where: str = SOME, *, by: str = "[device.model]") -> Path:
    path = workspace / "policies" / "tried.yaml"
    path.write_text(POLICY.format(claim=claim, where=where, by=by), encoding="utf-8")
    return path


def planned(workspace: Path, claim: str, where: str = SOME, *, by: str = "[device.model]") -> Said:
    return say("plan", policy(workspace, claim, where, by=by), workspace=workspace)


@pytest.mark.parametrize("claim", ["examples", "group", "never-saw"])
def test_every_claim_can_be_planned(fresh: Path, claim: str) -> None:
    assert say("policy", "validate", policy(fresh, claim), workspace=fresh).code == 0
    said = planned(fresh, claim)
    assert said.code == 0, said.err
    assert f"Claim     {claim} (reason device-deprecated)" in said.out


def test_a_group_that_goes_whole_must_be_claimed_as_one(fresh: Path) -> None:
    said = planned(fresh, "examples", DEVICE)
    assert said.code == 2
    assert "Every learned case of device model" in said.err
    assert "claim: group" in said.err
    assert planned(fresh, "group", DEVICE).code == 0


@pytest.mark.parametrize(
    ("claim", "where", "situation", "told"),
    [
        ("examples", SOME, "examples", "examples of a group that goes on being learned"),
        ("group", DEVICE, "group", "a group whose labels other images have too"),
        ("group", LABEL, "whole-label", "a group that is all there is of its labels"),
    ],
)
def test_auto_means_what_was_measured_for_such_a_group(
    fresh: Path, claim: str, where: str, situation: str, told: str
) -> None:
    path = policy(fresh, claim, where)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("methods: [finetune, retrain], options: {finetune: {epochs: 1}}", "methods: auto"))
    document = say("plan", path, "--json", workspace=fresh).document
    names = measured_choices()[Situation(situation)]
    assert document["auto"] == situation
    assert tuple(method["name"] for method in document["plan"]["slots"][0]["methods"]) == names
    assert f"auto means here: {', else '.join(names)}. Measured for {told}." in say("plan", path, workspace=fresh).out


def test_groups_that_cannot_be_judged_are_refused(fresh: Path) -> None:
    said = planned(fresh, "examples", by="[label.quality]")
    assert said.code == 2
    assert "no held-out case has a value there" in said.err


def interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_run_without_its_groups_is_not_resumed(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run, "unlearn", interrupted)
        assert say("run", policy(fresh, "examples"), workspace=fresh).code == 6
    (folder,) = (fresh / "runs").iterdir()
    (strata,) = folder.glob("strata-*.jsonl")
    strata.unlink()
    said = say("run", "--resume", folder.name, workspace=fresh)
    assert said.code == 4
    assert f"has no {strata.name}" in said.err


def test_a_run_writes_its_groups_and_what_the_gates_were_shown(fresh: Path) -> None:
    path = policy(fresh, "examples", by='[device.model, "patient.sex*image.eye"]')
    say("run", path, workspace=fresh)
    (folder,) = (fresh / "runs").iterdir()
    plan = codec.read(folder / "01-plan.json", Plan)
    (strata_file,) = folder.glob("strata-*.jsonl")
    strata = codec.read(strata_file, Strata, expected=plan.strata)
    (roles_file,) = folder.glob("roles-*.jsonl")
    held_out = codec.read(roles_file, RoleTable).of(Role.HOLDOUT)
    assert {row.by for row in strata.rows} == {"device.model", "patient.sex*image.eye"}
    assert len(strata.rows) == 2 * len(held_out)
    verdict = codec.read(folder / "03-verdict.json", Verdict)
    assert verdict.difficulty is not None
    (difficulty_file,) = folder.glob("difficulty-*.jsonl")
    assert difficulty_file.name == f"difficulty-{verdict.difficulty[:12]}.jsonl"
