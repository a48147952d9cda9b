"""A row before the file and until after it; a walk that knows weights by what they are, not by their names."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from helpers.lineage import MODEL, make_workspace, opened
from helpers.registering import safetensors
from maintain.errors import WorkspaceError
from maintain.hashing import digest_bytes
from maintain_pipelines import weight_places
from maintain_pipelines.context import Context
from maintain_pipelines.weight_places import announce_checkpoint, keep_weights, remove_weights
from maintain_pipelines.weight_walk import begins, walk
from maintain_registry import WeightKind, weight_files

STATE = {"layer": torch.arange(4.0)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("template") / "workspace")


@pytest.fixture
def context(tmp_path: Path, template: Path) -> Iterator[Context]:
    with opened(Path(shutil.copytree(template, tmp_path / "workspace"))) as found:
        yield found


def places(context: Context) -> list[str]:
    with context.database.read() as unit:
        return [row.place for row in weight_files(unit)]


def test_a_write_that_fails_leaves_a_row_and_no_file(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, state: object) -> str:
        raise OSError("full")

    monkeypatch.setattr(weight_places, "save_weights", full)
    path = context.workspace.runs / "a.safetensors"
    with pytest.raises(OSError, match="full"):
        keep_weights(path, STATE, WeightKind.CANDIDATE, MODEL, context)
    assert (places(context), path.exists()) == (["runs/a.safetensors"], False)


def test_a_removal_that_fails_keeps_the_row(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    path = context.workspace.runs / "a.safetensors"
    digest = keep_weights(path, STATE, WeightKind.CANDIDATE, MODEL, context)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError("no")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(PermissionError):
            remove_weights(context, path)
    with context.database.read() as unit:
        assert [row.weights for row in weight_files(unit)] == [digest]
    remove_weights(context, path)
    remove_weights(context, path)
    assert (places(context), path.exists()) == ([], False)


def test_a_folder_goes_with_all_its_rows_and_no_neighbour(context: Context) -> None:
    runs = context.workspace.runs
    announce_checkpoint(runs / "r1" / "checkpoints", MODEL, context, folder=True)
    keep_weights(runs / "r1" / "a.safetensors", STATE, WeightKind.CANDIDATE, MODEL, context)
    keep_weights(runs / "r10.safetensors", STATE, WeightKind.CANDIDATE, MODEL, context)
    remove_weights(context, runs / "r1")
    assert places(context) == ["runs/r10.safetensors"]


def test_weights_are_known_by_what_they_are(tmp_path: Path) -> None:
    data = safetensors(b"12345678")
    (tmp_path / "notes.txt").write_bytes(data)
    (tmp_path / "text").write_text("nothing of the kind")
    (tmp_path / "empty").touch()
    torch.save({"schema": ["somebody", 1]}, tmp_path / "foreign.pt")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("x", "y")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = walk(tmp_path)
    assert [(item.place, item.weights) for item in found.lying] == [("notes.txt", digest_bytes(data))]
    assert found.closed == ("archive.zip", "foreign.pt", "lost")
    assert found.holding(digest_bytes(data)) == found.lying


def test_a_folder_that_nobody_may_read_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkspaceError, match="cannot be read"):
        walk(tmp_path / "nowhere")


def test_a_beginning_is_told_from_another_file(tmp_path: Path) -> None:
    whole, part, other = tmp_path / "whole", tmp_path / "part", tmp_path / "other"
    whole.write_bytes(b"abcdef")
    part.write_bytes(b"abcd")
    other.write_bytes(b"abce")
    longer = tmp_path / "longer"
    longer.write_bytes(b"abcdefg")
    assert [begins(path, whole) for path in (part, whole, other, longer)] == [True, True, False, False]
