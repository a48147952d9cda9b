"""The log of a run tells of every stage, also of one that fails, and never what an error said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from maintain.clock import FrozenClock
from maintain.records import Decision, Registration
from maintain.vocabulary import Alias
from maintain_pipelines.context import Context
from maintain_pipelines.rundir import LOG_HEAD, RunFolder
from maintain_pipelines.runlog import Laps, logged


@dataclass(frozen=True, slots=True)
class _Ports(Context):
    """Only the clock of a context is asked."""

    def __init__(self, clock: FrozenClock) -> None:
        object.__setattr__(self, "clock", clock)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def lines(folder: RunFolder) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder.path / "run.log").read_text(encoding="utf-8").splitlines()]
    assert found[0] == LOG_HEAD
    return found[1:]


def test_a_stage_that_fails_leaves_the_class_of_its_error_and_nothing_it_said(
    folder: RunFolder, clock: FrozenClock
) -> None:
    @logged("verify")
    def stage(folder: RunFolder, context: Context) -> None:
        clock.move(seconds=2.5)
        raise ValueError("CANARY^JANE")

    with pytest.raises(ValueError, match="CANARY"):
        stage(folder, _Ports(clock))
    begun, failed = lines(folder)
    assert begun == {"at": "2026-01-01T12:00:00Z", "event": "verify-begun", "slot": 1}
    assert failed == {
        "at": "2026-01-01T12:00:02Z",
        "event": "error",
        "error": "ValueError",
        "stage": "verify",
        "seconds": 2.5,
    }
    assert "CANARY" not in (folder.path / "run.log").read_text(encoding="utf-8")


def test_a_stage_that_ends_leaves_its_seconds_and_its_digests(folder: RunFolder, clock: FrozenClock) -> None:
    made = Registration("d" * 64, "m", 2, "e" * 64, Alias.CANDIDATE, 11, "f" * 64)

    @logged("register")
    def stage(folder: RunFolder, context: Context) -> Registration:
        clock.move(seconds=0.1234567)
        return made

    assert stage(folder, context=_Ports(clock)) is made
    ended = lines(folder)[-1]
    assert (ended["event"], ended["seconds"], ended["version"], ended["entry"]) == ("register-ended", 0.123, 2, 11)
    assert ended["entry-hash"] == "f" * 64


def test_a_clock_that_is_set_back_gives_no_seconds(folder: RunFolder, clock: FrozenClock) -> None:
    @logged("report")
    def stage(folder: RunFolder, context: Context) -> None:
        clock.move(seconds=-60)

    stage(folder, _Ports(clock))
    assert lines(folder)[-1]["seconds"] is None


def test_a_log_that_cannot_be_written_does_not_hide_the_error(
    folder: RunFolder, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    @logged("unlearn")
    def stage(folder: RunFolder, context: Context) -> None:
        (folder.path / "run.log").unlink()
        (folder.path / "run.log").mkdir()
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        stage(folder, _Ports(clock))


def test_every_stage_of_a_run_is_logged() -> None:
    from maintain_pipelines import register, report, unlearn, verify

    for stage in (unlearn.unlearn, verify.verify, register.register, report.write_report):
        assert cast(Any, stage).__wrapped__


def test_seconds_of_references_are_not_those_of_the_method_that_asked_for_them(
    folder: RunFolder, clock: FrozenClock
) -> None:
    laps = Laps(folder, clock, clock.now())
    clock.move(seconds=9)
    laps.trained(references=3, steps=60, seconds=6.0)
    clock.move(seconds=1)
    laps.tried(Decision("finetune", False, "too far", steps=8, tuned=False))
    laps.trained(references=0, steps=0, seconds=0.0)
    laps.tried(Decision("psg", False, "left"))
    told = [{key: line[key] for key in line if key not in ("at", "slot")} for line in lines(folder)]
    assert told == [
        {"event": "references-trained", "references": 3, "steps": 60, "seconds": 6.0},
        {"event": "tried", "method": "finetune", "steps": 8, "seconds": 4.0, "made": True},
        {"event": "tried", "method": "psg", "steps": 0, "seconds": 0.0, "made": False},
    ]


def test_a_clock_that_is_set_back_while_a_method_is_tried_gives_it_no_seconds(
    folder: RunFolder, clock: FrozenClock
) -> None:
    laps = Laps(folder, clock, clock.now())
    clock.move(seconds=-60)
    laps.tried(Decision("finetune", True, "", steps=8, tuned=False))
    assert lines(folder)[-1]["seconds"] is None
