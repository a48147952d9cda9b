"""The references of a group: made beforehand or inside a run, stopped, killed, and released as the retrain they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from maintain import codec
from maintain.records import Candidate, LoaderLog, RoleTable, TrainingManifest
from maintain.vocabulary import Role

POLICY = """\
version: 1
name: scanner-withdrawn
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: {claim}
model: {{name: fundus-triage}}
forget:
  where: {where}
limits: {{max_percent: 100}}
unlearn: {{methods: {methods}, seed: 11}}
gates: [default, {{retention: {{margin: 0.3}}}}]
"""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    """Where the processes of this file come from."""
    with killing.nursery(tmp_path_factory.mktemp("nursery")) as opened:
        yield opened


def scanner(
    workspace: Path,
    *,
    claim: str = "group",
    where: str = "{device.model: Retivue NM-45}",
    methods: str = "[finetune, retrain]",
) -> Path:
    path = workspace / "policies" / "scanner.yaml"
    path.write_text(POLICY.format(claim=claim, where=where, methods=methods), encoding="utf-8")
    return path


def candidate(workspace: Path) -> tuple[Path, Candidate]:
    (folder,) = (workspace / "runs").iterdir()
    return folder, codec.read(folder / "02-candidate.json", Candidate)


def kept(workspace: Path) -> list[dict[str, object]]:
    document = say("reference", "list", "--json", workspace=workspace).document
    references: list[dict[str, object]] = document["references"]
    return references


@pytest.mark.parametrize("claim", ["never-saw", "examples"])
def test_other_claims_have_no_use_for_references(fresh: Path, claim: str) -> None:
    said = say("reference", "train", scanner(fresh, claim=claim, methods="[retrain]"), workspace=fresh)
    assert said.code == 2, said.out + said.err
    assert f"References are the yardstick of the claim group; scanner-withdrawn claims {claim}." in said.err
    assert not (fresh / "references").exists()


def test_a_withdrawn_label_is_held_against_zero(fresh: Path) -> None:
    said = say("reference", "train", scanner(fresh, where="{label.diagnosis: drusen}"), workspace=fresh)
    assert said.code == 2
    assert "not judged by references: it withdraws whole labels" in said.err


def test_where_nobody_learned_from_a_match_there_is_nothing_to_compare(fresh: Path) -> None:
    policy = scanner(fresh, where="{study.date: {before: 1900-01-01}}")
    said = say("reference", "train", policy, workspace=fresh)
    assert said.code == 5, said.out + said.err


def test_made_beforehand_they_are_there_for_the_run_and_the_first_is_released(fresh: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(fresh, tmp_path / "alone"))
    policy = scanner(fresh)
    planned = say("plan", policy, "--json", workspace=fresh).document["references"]
    assert (planned["references"], planned["cached"]) == (3, 0)
    first = say("reference", "train", policy, "--json", workspace=fresh)
    assert first.code == 0, first.err
    assert [one["cached"] for one in first.document["references"]] == [False] * 3
    assert first.document["spread"] is not None
    assert "3 of them there" in say("plan", policy, workspace=fresh).out
    again = say("reference", "train", policy, workspace=fresh)
    assert (again.code, again.out.count("there already")) == (0, 3)
    run = say("run", policy, workspace=fresh)
    assert run.code == 0, run.out + run.err
    folder, released = candidate(fresh)
    left, taken = released.decisions
    assert (left.method, left.chosen) == ("finetune", False)
    assert taken.reason.startswith("Trained before as a reference; released as it is.")
    assert released.weights == first.document["references"][0]["weights"]
    manifest = codec.read(folder / "02-manifest.json", TrainingManifest)
    (log,) = folder.glob("loader-log-*.jsonl")
    (roles,) = folder.glob("roles-*.jsonl")
    forgotten = {row.case_id for row in codec.read(roles, RoleTable).of(Role.FORGET)}
    assert forgotten
    assert forgotten.isdisjoint({ref.case_id for ref in manifest.learned})
    assert forgotten.isdisjoint({row.case_id for row in codec.read(log, LoaderLog).rows})
    trained_now = say("run", scanner(alone, methods="[retrain]"), workspace=alone)
    assert trained_now.code == 0, trained_now.out + trained_now.err
    assert candidate(alone)[1].weights == released.weights
    assert kept(alone) == []


def test_a_run_killed_while_references_train_goes_on_from_their_checkpoints(
    fresh: Path, nursery: killing.Nursery
) -> None:
    policy = scanner(fresh)
    words: tuple[object, ...] = ("run", policy)
    for _ in range(4):
        killed = nursery.run(*words, workspace=fresh, point="a later epoch kept")
        assert killed.code == -9, killed.said
        (folder,) = (fresh / "runs").iterdir()
        words = ("run", "--resume", folder.name)
    assert len(kept(fresh)) == 1
    ended = nursery.run(*words, workspace=fresh)
    assert ended.code == 0, ended.said
    assert "reference 1 of 3" not in ended.said
    assert "reference 3 of 3: 6/6" in ended.said
    assert [one["weights"] for one in kept(fresh) if one["seed"] == 11] == [candidate(fresh)[1].weights]
    assert not list((fresh / "references").rglob("*checkpoint*"))
    assert say("audit", "verify", "--require-anchor", workspace=fresh).code == 0


def test_told_to_stop_it_says_how_to_go_on_and_goes_on(fresh: Path, nursery: killing.Nursery) -> None:
    policy = scanner(fresh)
    for send in ("int", "term"):
        told = nursery.run("reference", "train", policy, workspace=fresh, point="epoch 2 trained, not kept", send=send)
        assert told.code == 6, told.said
        assert "goes on from the last finished epoch" in told.said
    doctor = say("doctor", workspace=fresh)
    assert "A reference was interrupted" in doctor.out
    assert say("reference", "train", policy, workspace=fresh).code == 0
    assert len(kept(fresh)) == 3


def test_two_processes_never_train_the_same(fresh: Path, nursery: killing.Nursery) -> None:
    policy = scanner(fresh)
    sleeper = nursery.run("reference", "train", policy, workspace=fresh, point="epoch 2 trained, not kept", send="stop")
    assert sleeper.stopped
    for command in ("reference train", "run"):
        second = say(*command.split(), policy, workspace=fresh)
        assert second.code == 6
        assert "reference train works on fundus-triage" in second.err
    nursery.kill(sleeper)


def test_a_damaged_reference_is_listed_as_such_and_made_anew(fresh: Path) -> None:
    policy = scanner(fresh)
    assert say("reference", "train", policy, workspace=fresh).code == 0
    before = kept(fresh)
    weights = next((fresh / "references").rglob("weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x00\x00")
    listed = say("reference", "list", workspace=fresh)
    assert listed.code == 4
    assert "is damaged and is not used" in listed.out
    again = say("reference", "train", policy, workspace=fresh)
    assert (again.code, again.out.count("there already")) == (0, 2)
    assert "is trained again" in again.err
    assert kept(fresh) == before
