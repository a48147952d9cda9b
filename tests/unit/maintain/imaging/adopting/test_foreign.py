"""Foreign weights: hostile and broken files are refused in words of ours, whole ones come out as they went in.

A few tests start the child, which imports torch; the others ask its program in this process.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from maintain.errors import InputError
from maintain.imaging.adopting import opening, read_foreign

STATE = OrderedDict(
    {
        "module.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "module.bias": torch.tensor([0.5, -0.5], dtype=torch.float16),
        "module.count": torch.tensor(7),
    }
)


class Payload:
    """What runs a command when it is unpickled by a reader that trusts it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def hostile(folder: Path, marker: Path) -> dict[str, Path]:
    """The same payload in every wrapper that torch has had."""
    torch.save({"weight": torch.zeros(2), "extra": Payload(marker)}, folder / "zip.pt")
    torch.save(
        {"weight": torch.zeros(2), "extra": Payload(marker)}, folder / "old.pt", _use_new_zipfile_serialization=False
    )
    (folder / "plain.pkl").write_bytes(pickle.dumps(Payload(marker)))
    (folder / "named.safetensors").write_bytes(pickle.dumps(Payload(marker)))
    return {path.name: path for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", ["zip.pt", "old.pt", "plain.pkl", "named.safetensors"])
def test_a_payload_never_runs(tmp_path: Path, name: str) -> None:
    files, marker = tmp_path / "files", tmp_path / "it-ran"
    files.mkdir()
    path = hostile(files, marker)[name]
    with pytest.raises(InputError, match=name) as caught:
        read_foreign(path, tmp_path / "scratch.safetensors")
    assert not marker.exists()
    assert "it-ran" not in caught.value.message + caught.value.remedy
    assert not (tmp_path / "scratch.safetensors").exists()


def test_the_payload_is_one(tmp_path: Path) -> None:
    """The test above would mean nothing if nobody could be hurt by it."""
    torch.save({"extra": Payload(tmp_path / "it-ran")}, tmp_path / "zip.pt")
    with pytest.raises((TypeError, AttributeError, RuntimeError, ValueError)):
        len(torch.load(tmp_path / "zip.pt", weights_only=False)["extra"])
    assert (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_whole_files_come_out_as_they_went_in(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"model.{kind}"
    if kind == "pt":
        torch.save(STATE, path)
    else:
        save_file(dict(STATE), path)
    found = read_foreign(path, tmp_path / "work" / "scratch.safetensors")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) and found[name].dtype == STATE[name].dtype for name in STATE)
    assert not (tmp_path / "work" / "scratch.safetensors").exists()


def test_a_child_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "model.pt")
    with pytest.raises(InputError, match="within the limits"):
        read_foreign(tmp_path / "model.pt", tmp_path / "scratch.safetensors", seconds=0.2)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.pt", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_foreign(path, tmp_path / "scratch.safetensors")


def word(path: Path, found: object | None = None) -> str:
    """The word by which the child refuses a file, asked in this process."""
    if found is not None:
        torch.save(found, path)
    kind = "safetensors" if path.suffix == ".safetensors" else "state_dict"
    with pytest.raises(opening.Refusal) as caught:
        opening.convert(str(path), str(path.with_name("out")), kind, path.stat().st_size)
    assert not path.with_name("out").exists()
    return caught.value.word


def test_truncated_files_are_broken(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "whole.pt")
    save_file(dict(STATE), tmp_path / "whole.safetensors")
    for name in ("whole.pt", "whole.safetensors"):
        data = (tmp_path / name).read_bytes()
        for length in (0, 1, 8, len(data) // 2, len(data) - 1):
            path = tmp_path / f"cut-{name}"
            path.write_bytes(data[:length])
            assert word(path) in ("broken", "pickled"), (name, length)


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        ([torch.zeros(2)], "not-a-mapping"),
        ({}, "empty"),
        ({"weight": torch.zeros(2), "epoch": 3}, "not-tensors"),
        ({"state_dict": {"weight": torch.zeros(2)}}, "not-tensors"),
        ({1: torch.zeros(2)}, "names"),
        ({"a\nb": torch.zeros(2)}, "names"),
        ({"a" * 300: torch.zeros(2)}, "names"),
        ({"weight": torch.tensor([1.0, float("nan")])}, "not-finite"),
        ({"weight": torch.tensor([1.0, float("inf")])}, "not-finite"),
        ({"weight": torch.eye(2).to_sparse()}, "not-plain"),
        ({"weight": torch.zeros(1).expand(1 << 40)}, "memory"),
    ],
)
def test_what_is_no_plain_state_is_refused_by_its_word(tmp_path: Path, found: object, refused: str) -> None:
    assert word(tmp_path / "model.pt", found) == refused


def test_an_archive_without_weights_is_broken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "letters.pt", "w") as archive:
        archive.writestr("letter.txt", "Dear Jane")
    assert word(tmp_path / "letters.pt") == "broken"


def test_tied_tensors_are_written_twice(tmp_path: Path) -> None:
    shared: Tensor = torch.ones(3)
    torch.save({"a": shared, "b": shared}, tmp_path / "model.pt")
    size = (tmp_path / "model.pt").stat().st_size
    assert opening.convert(str(tmp_path / "model.pt"), str(tmp_path / "out"), "state_dict", size) == {"tensors": 2}
