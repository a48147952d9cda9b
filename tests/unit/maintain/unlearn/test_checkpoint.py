from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from maintain.errors import DamagedError, InputError
from maintain.unlearn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint


class _Payload:
    """What a hostile file would run when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickled object was executed",))


def checkpoint() -> Checkpoint:
    return Checkpoint(
        training="this",
        initial_weights="start",
        step=4,
        network={"weight": torch.arange(3.0)},
        optimiser={"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
        scheduler={"last_epoch": 4, "phases": [{"end_step": 1.5}]},
        feed={"forget": None, "retain": {"drawn": 4, "counts": (2, 2)}},
        history=[[1.0, 0.5, 0.5], [2.0, 0.4, 0.75]],
        rng=[torch.get_rng_state()],
    )


@pytest.mark.parametrize(
    "data", [b"", b"not a checkpoint", pickle.dumps([1, 2]), pickle.dumps(_Payload())], ids=range(4)
)
def test_what_is_not_a_checkpoint_is_damaged_and_never_executed(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    path.write_bytes(data)
    with pytest.raises(DamagedError, match=r"it\.checkpoint"):
        read_checkpoint(path, training="this")


@pytest.mark.parametrize("document", [{"schema": ["other", 1], "body": {}}, {"body": {}}, [1], 3])
def test_another_schema_is_damaged(document: object, tmp_path: Path) -> None:
    torch.save(document, tmp_path / "it.checkpoint")
    with pytest.raises(DamagedError):
        read_checkpoint(tmp_path / "it.checkpoint", training="this")


def test_another_trainings_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "it.checkpoint", checkpoint())
    with pytest.raises(InputError, match="another training"):
        read_checkpoint(tmp_path / "it.checkpoint", training="other")


def test_none_yet_is_none(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "absent.checkpoint", training="this") is None


def test_it_comes_back_whole_and_alone(tmp_path: Path) -> None:
    kept = checkpoint()
    write_checkpoint(tmp_path / "it.checkpoint", kept)
    found = read_checkpoint(tmp_path / "it.checkpoint", training="this")
    assert found is not None
    assert (found.step, found.history, found.scheduler) == (kept.step, kept.history, kept.scheduler)
    assert torch.equal(found.network["weight"], kept.network["weight"])
    assert torch.equal(found.rng[0], kept.rng[0])
    assert [path.name for path in tmp_path.iterdir()] == ["it.checkpoint"]
