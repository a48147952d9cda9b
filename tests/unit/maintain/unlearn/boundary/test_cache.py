from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.boundaries import FLOAT, some_boundary, standardise
from maintain.errors import DamagedError
from maintain.unlearn import weights_in_checkpoint
from maintain.unlearn.boundary.cache import BoundaryCache, Kept, boundary_key
from maintain.unlearn.boundary.labels import Boundary
from maintain.unlearn.boundary.options import BoundaryOptions

SEARCH: dict[str, Any] = {
    "weights": "w" * 64,
    "cases": "c" * 64,
    "preprocessing": (FLOAT, standardise(0.5, 0.5)),
    "options": BoundaryOptions(),
    "seed": 3,
}
KEY = boundary_key(**SEARCH)


def equal(one: Boundary, other: Boundary) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Boundary)]
    return all(torch.equal(torch.nan_to_num(left, -1), torch.nan_to_num(right, -1)) for left, right in pairs)


def never() -> Boundary:
    raise AssertionError("searched although it was kept")


def damage_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def other_tensors(path: Path) -> None:
    tensors = load_file(path)
    tensors["labels"] += 1
    cache = BoundaryCache(path.parent)
    save_file(tensors, cache.path, metadata={"maintain.boundary": f"{KEY} {'0' * 64}"})


def foreign(path: Path) -> None:
    save_file({"weight": torch.ones(3)}, path)


def nothing_in_it(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [damage_a_byte, cut, other_tensors, foreign, nothing_in_it])
def test_a_damaged_file_is_refused_and_searched_again_with_the_reason(harm: Any, tmp_path: Path) -> None:
    cache = BoundaryCache(tmp_path)
    cache.write(KEY, some_boundary())
    harm(cache.path)
    with pytest.raises(DamagedError, match="not what was written"):
        cache.read(KEY)
    found, reason = cache.read_or_search(KEY, some_boundary)
    assert reason is Kept.DAMAGED
    assert equal(found, some_boundary())
    assert cache.read_or_search(KEY, never)[1] is Kept.READ


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", "v" * 64),
        ("cases", "d" * 64),
        ("preprocessing", (FLOAT, standardise(0.5, 0.25))),
        ("options", replace(BoundaryOptions(), noise=0.1)),
        ("seed", 4),
    ],
)
def test_one_of_another_search_is_not_used(name: str, value: object, tmp_path: Path) -> None:
    cache = BoundaryCache(tmp_path)
    cache.write(KEY, some_boundary())
    other = boundary_key(**{**SEARCH, name: value})
    assert other != KEY
    assert cache.read(other) is None
    changed = replace(some_boundary(), labels=torch.tensor([2, 0, 1, 1]))
    found, reason = cache.read_or_search(other, lambda: changed)
    assert reason is Kept.ANOTHER
    assert equal(found, changed)
    assert cache.read(KEY) is None


def test_what_is_kept_is_read_bit_for_bit_and_searched_once(tmp_path: Path) -> None:
    cache = BoundaryCache(tmp_path / "checkpoints")
    assert cache.read(KEY) is None
    assert cache.read_or_search(KEY, some_boundary)[1] is Kept.NONE_YET
    found, reason = cache.read_or_search(KEY, never)
    assert reason is Kept.READ
    assert equal(found, some_boundary())
    assert [path.name for path in cache.folder.iterdir()] == ["boundary.safetensors"]


def test_equal_boundaries_are_equal_bytes_and_no_checkpoint(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        BoundaryCache(tmp_path / folder).write(KEY, some_boundary())
    one, other = (BoundaryCache(tmp_path / folder).path for folder in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    assert not weights_in_checkpoint(one)
