from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from helpers.registering import make_version
from maintain.errors import InputError, RefusedError
from maintain.hashing import digest_bytes
from maintain_registry.contents import WEIGHTS_FILE, check, check_model_name, expected_files


def framed(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def tensor(start: int, stop: int) -> dict[str, object]:
    return {"dtype": "U8", "shape": [stop - start], "data_offsets": [start, stop]}


UNSAFE = {
    "nothing": b"",
    "a pickle": pickle.dumps({"w": [1, 2, 3]}),
    "a torch archive": b"PK\x03\x04" + bytes(200),
    "a header longer than the file": (10**6).to_bytes(8, "little") + b"{}",
    "a list": framed(b"[]"),
    "a space before the brace": framed(b" {}"),
    "half an object": framed(b'{"w":'),
    "a pickle behind the tensors": framed(json.dumps({"w": tensor(0, 2)}).encode(), b"ab" + pickle.dumps(1)),
    "a tensor that is cut short": framed(json.dumps({"w": tensor(0, 9)}).encode(), b"ab"),
    "a hole": framed(json.dumps({"a": tensor(0, 1), "b": tensor(2, 3)}).encode(), b"abc"),
    "an overlap": framed(json.dumps({"a": tensor(0, 2), "b": tensor(1, 3)}).encode(), b"abc"),
    "no offsets": framed(b'{"w":{}}'),
    "a tensor that is a number": framed(b'{"w":1}'),
    "offsets that are text": framed(b'{"w":{"data_offsets":["a","b"]}}'),
    "nesting without end": framed(b'{"w":' + b"[" * 100_000),
}


@pytest.mark.parametrize("weights", UNSAFE.values(), ids=UNSAFE)
@pytest.mark.parametrize("as_path", [False, True])
def test_only_safetensors_are_kept(tmp_path: Path, weights: bytes, as_path: bool) -> None:
    version, files = make_version(number=1)
    (tmp_path / "w").write_bytes(weights)
    given_files = {**files, WEIGHTS_FILE: tmp_path / "w" if as_path else weights}
    with pytest.raises(InputError, match="safetensors"):
        check(dataclasses.replace(version, weights=digest_bytes(weights)), given_files)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=5), st.lists(st.integers(0, 3), max_size=3), max_size=4))
def test_whatever_safetensors_writes_is_kept(shapes: dict[str, list[int]]) -> None:
    """Oracle: the reference library, over drawn names and shapes (empty tensors too)."""
    shapes.pop("__metadata__", None)
    weights = save({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, {"by": "tests"})
    version, files = make_version(number=1)
    check(dataclasses.replace(version, weights=digest_bytes(weights)), {**files, WEIGHTS_FILE: weights})


def test_files_must_be_those_that_the_record_names() -> None:
    version, files = make_version(number=1, revised=True)
    for name in files:
        with pytest.raises(InputError, match=name):
            check(version, {other: data for other, data in files.items() if other != name})
        with pytest.raises(RefusedError, match=name):
            check(version, {**files, name: files[name] + b" "})
    with pytest.raises(InputError, match="notes"):
        check(version, {**files, "notes.txt": b"x"})
    with pytest.raises(InputError, match="numbered"):
        check(dataclasses.replace(version, version=0), files)


def test_an_adopted_model_has_no_loader_log() -> None:
    version, _ = make_version(number=1)
    assert set(expected_files(dataclasses.replace(version, loader_log=None))) == {
        "weights.safetensors",
        "spec.json",
        "manifest.json",
    }


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "../a",
        "a\\b",
        "A",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a b",
        "a\n",
        "é",
        "a_b",
        "a" * 65,
        "a\x00",
    ],
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="name of a model"):
        check_model_name(name)


@pytest.mark.parametrize("name", ["fundus-triage", "oct.v2", "a", "7t-mri"])
def test_names_of_models(name: str) -> None:
    assert check_model_name(name) == name
