"""Destroying a version's weights: a look everywhere, kills between any two steps, and the register of weights."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from helpers import killing
from helpers.commands import say
from helpers.lineage import MODEL, add_candidate, make_promoted, opened
from helpers.retiring import (
    ARTIFACT,
    DESTROY,
    RETIRE,
    bytes_of,
    events,
    everywhere,
    plant,
    require_gone,
    rows,
    tombstone,
    weights_of,
)
from maintain.errors import RefusedError
from maintain.imaging import save_weights
from maintain.unlearn.checkpoint import Checkpoint, write_checkpoint
from maintain_pipelines.weight_walk import walk
from maintain_registry import EventKind, WeightKind, irregularities


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 2 serves, 1 did before, 3 waits. Copy it."""
    return make_promoted(tmp_path_factory.mktemp("lineage") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, lineage: Path) -> Path:
    return Path(shutil.copytree(lineage, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    with killing.nursery(tmp_path_factory.mktemp("nursery")) as opened_nursery:
        yield opened_nursery


def test_nothing_below_the_workspace_holds_destroyed_weights(workspace: Path) -> None:
    named, digest = plant(workspace), weights_of(workspace, 1)
    others = {number: weights_of(workspace, number) for number in (2, 3)}
    assert len(everywhere(workspace, digest)) == 5
    gone = say(*DESTROY, "--json", workspace=workspace)
    assert gone.code == 0, gone.err
    require_gone(workspace, digest)
    for number, other in others.items():
        assert everywhere(workspace, other) == [f"registry/{MODEL}/v{number:04d}/weights.safetensors"]
    told = tombstone(workspace)
    files = told["files"]
    assert isinstance(files, list)
    assert named <= {item["place"] for item in files}
    assert "forgotten-copy" not in json.dumps(told)
    assert any(item["place"].startswith("elsewhere in the workspace") for item in files)
    assert (told["weights"], told["version"]) == (digest, 1)
    assert any("backups" in str(what) for what in list(told["out_of_reach"]))  # type: ignore[call-overload]
    assert say("audit", "show", MODEL, 1, workspace=workspace).code == 0
    assert say("registry", "show", MODEL, 1, workspace=workspace).code == 0
    exposed = say("audit", "exposure", "case-0003", "--json", workspace=workspace).document["versions"]
    assert [item["answer"] for item in exposed] == ["yes", "yes", "yes"]
    assert say(*RETIRE, workspace=workspace).code == 5


def test_said_twice_it_looks_again_and_a_copy_that_came_back_goes_too(workspace: Path) -> None:
    data, digest = bytes_of(workspace, 1), weights_of(workspace, 1)
    assert say(*DESTROY, workspace=workspace).code == 0
    before = events(workspace)
    again = say(*DESTROY, workspace=workspace)
    assert (again.code, "none holds them" in again.err, events(workspace)) == (5, True, before)
    (workspace / "restored").write_bytes(data)
    assert "whose destruction was ordered" in say("doctor", workspace=workspace).out
    assert say(*DESTROY, workspace=workspace).code == 0
    assert everywhere(workspace, digest) == []
    assert events(workspace) == [*before, "destruction-ordered", "weights-destroyed"]


def test_the_weights_in_a_checkpoint_are_found_whatever_its_name(workspace: Path) -> None:
    path = workspace / "trainings" / "odd" / "bin"
    path.parent.mkdir(parents=True)
    state = {"layer.weight": torch.arange(6.0)}
    digest = save_weights(workspace / "plain.safetensors", state)
    other = {"layer.weight": torch.zeros(6)}
    write_checkpoint(path, Checkpoint("t", "i", 1, state, {}, {}, {}, [], []))
    write_checkpoint(path.with_name("kept"), Checkpoint("t", "i", 1, other, {}, {}, {}, [], [], kept=state))
    held = {item.place for item in walk(workspace).holding(digest)}
    assert held == {"plain.safetensors", "trainings/odd/bin", "trainings/odd/kept"}


def test_a_copy_under_another_name_of_the_same_file_is_told_as_out_of_reach(workspace: Path, tmp_path: Path) -> None:
    os.link(workspace / ARTIFACT, tmp_path / "backup")
    gone = say(*DESTROY, workspace=workspace)
    assert (gone.code, "1 of the deleted files had another name outside" in gone.out) == (0, True)


def test_archives_are_not_claimed_to_be_free_of_them(workspace: Path) -> None:
    shutil.make_archive(str(workspace / "keep"), "gztar", workspace / "registry")
    gone = say(*DESTROY, workspace=workspace)
    assert (gone.code, "1 files of the workspace that are archives" in gone.out) == (0, True)


def test_destroyed_weights_are_never_registered_again(workspace: Path) -> None:
    assert say(*DESTROY, workspace=workspace).code == 0
    with opened(workspace) as context, pytest.raises(RefusedError, match="were destroyed for good"):
        add_candidate(context, 2, salt=0)
    assert everywhere(workspace, weights_of(workspace, 1)) == []


def test_what_is_typed_at_a_terminal_must_be_the_version(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for typed, code in (("yes\n", 2), ("", 2), (f"{MODEL} 2\n", 2), (f"{MODEL} 1\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        assert say(*RETIRE, "--destroy", workspace=workspace).code == code


def test_weights_that_vanish_without_an_order_are_damage(workspace: Path) -> None:
    folder = workspace / f"registry/{MODEL}/v0001"
    document = {"file": "weights.safetensors", "sha256": weights_of(workspace, 1)}
    schema = {"schema": "maintain.version-erased", "version": 1, "body": document}
    (folder / "erased.json").write_text(json.dumps(schema))
    (folder / "weights.safetensors").unlink()
    assert "has lost its weights" in say("doctor", workspace=workspace).out
    answer = say("audit", "show", MODEL, 1, workspace=workspace)
    assert (answer.code, "no entry of the ledger ordered that" in answer.err) == (4, True)


# --- killed ----------------------------------------------------------------------------------------


#: One point of each kind, so that this file stays quick; `killing.RETIREMENT` has the others.
KILLS = (
    "retired, not committed",
    "retired, no order",
    "2 removed, row there",
    "marker written, artifact there",
    "artifact removed, folder not flushed",
    "shown, no tombstone",
    "tombstone, not said",
)


@pytest.mark.parametrize("point", KILLS)
def test_killed_between_any_two_steps_it_ends_as_if_undisturbed(
    workspace: Path, nursery: killing.Nursery, point: str
) -> None:
    plant(workspace)
    digest = weights_of(workspace, 1)
    killed = nursery.run(*DESTROY, workspace=workspace, point=point)
    assert killed.code == -9, killed.said
    assert say("audit", "verify", workspace=workspace).code == 0
    lying = everywhere(workspace, digest)
    with opened(workspace) as context, context.database.read() as unit:
        found = [item for item in irregularities(unit, context.store) if item.serious]
        told = EventKind.WEIGHTS_DESTROYED in [entry.event for entry in context.ledger.entries(unit)]
    assert not (told and lying)
    if ARTIFACT not in lying and not told:
        assert any("was ordered" in item.said for item in found)
    again = nursery.run(*DESTROY, workspace=workspace)
    assert again.code == (5 if told else 0), again.said
    require_gone(workspace, digest)
    counted = events(workspace)
    assert [counted.count(kind.value) for kind in (EventKind.VERSION_RETIRED, EventKind.DESTRUCTION_ORDERED)] == [1, 1]
    places = {item["place"] for item in tombstone(workspace)["files"]}  # type: ignore[attr-defined]
    assert {ARTIFACT, f"trainings/{MODEL}-x/weights.safetensors"} <= places


# --- the register ----------------------------------------------------------------------------------


def test_doctor_names_what_the_register_lacks_and_what_it_has_too_much(workspace: Path) -> None:
    plant(workspace)
    (workspace / f"registry/{MODEL}/v0003/weights.safetensors").rename(workspace / "elsewhere.bin")
    text = say("doctor", workspace=workspace).out
    assert "files with weights are not in the register" in text
    assert "places of the register lie nowhere any more" in text
    mended = say("doctor", "weights", "--json", workspace=workspace)
    assert mended.code == 0, mended.err
    assert mended.document["struck"] == [
        f"registry/{MODEL}/v0003/weights.safetensors",
        f"trainings/{MODEL}-x/checkpoint.pt",
    ]
    assert {"elsewhere.bin", "forgotten-copy", "runs/r-1/abc.weights.safetensors"} <= set(mended.document["entered"])
    assert say("doctor", "weights", "--json", workspace=workspace).document["entered"] == []
    kinds = {place: row.kind for place, row in rows(workspace).items()}
    assert kinds["elsewhere.bin"] is WeightKind.FOUND
    assert kinds["runs/r-1/abc.weights.safetensors"] is WeightKind.CANDIDATE
