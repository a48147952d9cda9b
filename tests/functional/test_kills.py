"""Kill -9 at every point of a run, again and again: it ends as if nobody had touched it."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from maintain import codec
from maintain.database import open_database
from maintain.records import ModelVersion
from maintain_pipelines import journal
from maintain_registry import Ledger

POLICY = "policies/consent.yaml"


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory, trained: Path, hospital: Path) -> Path:
    """A workspace in which the letters have arrived and nothing was run yet. Copy it."""
    workspace = Path(shutil.copytree(trained, tmp_path_factory.mktemp("lettered") / "workspace"))
    said = say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    assert said.code == 0, said.err
    with (workspace / "maintain.toml").open("a", encoding="utf-8") as stream:
        stream.write("\nlease_seconds = 2\n")
    return workspace


@pytest.fixture
def waiting(tmp_path: Path, lettered: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(lettered, tmp_path / "workspace"))


def rows(workspace: Path) -> tuple[journal.RunRow, ...]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        found = journal.runs(unit)
    database.close()
    return found


def events(workspace: Path) -> Counter[str]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        entries = Ledger.entries(Ledger.__new__(Ledger), unit)
        looks = journal.looks(unit, "fundus-triage")
    database.close()
    counted = Counter(entry.event.value for entry in entries)
    assert counted["holdout-looked"] == looks
    return counted


def weights(workspace: Path) -> str:
    return codec.read(workspace / "registry/fundus-triage/v0002/version.json", ModelVersion).weights


def require_as_undisturbed(workspace: Path, finished: Path) -> None:
    """One version, one entry of each kind, the same weights, a whole ledger, no checkpoint left."""
    assert weights(workspace) == weights(finished)
    assert events(workspace) == events(finished)
    (row,) = rows(workspace)
    assert row.state == "registered"
    listed = say("registry", "list", "--json", workspace=workspace).document["versions"]
    assert [(version["version"], version["aliases"]) for version in listed] == [(1, ["champion"]), (2, ["candidate"])]
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    folder = workspace / "runs" / row.run
    assert not list(folder.glob("**/*.safetensors"))
    assert not (folder / "checkpoints").exists()


def again(workspace: Path) -> tuple[str, ...]:
    """What somebody says who finds a killed run: the policy where none was begun, else --resume."""
    found = rows(workspace)
    return ("run", "--resume", found[0].run) if found else ("run", str(workspace / POLICY))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    """Where the processes of this file come from."""
    with killing.nursery(tmp_path_factory.mktemp("nursery")) as opened:
        yield opened


def test_killed_at_every_point_it_ends_as_if_undisturbed(
    waiting: Path, finished: Path, nursery: killing.Nursery
) -> None:
    for point in killing.POINTS:
        if point == killing.FIRST and rows(waiting):
            continue
        killed = nursery.run(*again(waiting), workspace=waiting, point=point)
        assert killed.code == -9, f"{point}: {killed.code} {killed.said}"
    ended = nursery.run(*again(waiting), workspace=waiting)
    assert ended.code == 0, ended.said
    require_as_undisturbed(waiting, finished)


def written(workspace: Path) -> dict[str, bytes]:
    """Everything that a run writes outside the database."""
    places = (workspace / "runs", workspace / "registry", workspace / "ledger.heads")
    files = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.mark.parametrize("point", ["a later epoch kept", "looked, not measured", "verified"])
def test_a_process_that_sleeps_past_its_lease_is_fenced_out(
    waiting: Path, finished: Path, nursery: killing.Nursery, point: str
) -> None:
    sleeper = nursery.run(*again(waiting), workspace=waiting, point=point, send="stop")
    assert sleeper.stopped
    until = time.monotonic() + 30
    while (second := nursery.run(*again(waiting), workspace=waiting)).code == 6 and time.monotonic() < until:
        assert f"{rows(waiting)[0].run} works on fundus-triage: held by" in second.said
        time.sleep(0.2)
    assert second.code == 0, second.said
    require_as_undisturbed(waiting, finished)
    before = written(waiting), events(waiting), rows(waiting)
    woken = nursery.wake(sleeper)
    assert woken.code == 6, woken.said
    assert "Another process has taken over the work on fundus-triage" in woken.said
    assert (written(waiting), events(waiting), rows(waiting)) == before


def test_nobody_registers_beside_a_process_that_stands_still_while_it_registers(
    waiting: Path, finished: Path, nursery: killing.Nursery
) -> None:
    sleeper = nursery.run(*again(waiting), workspace=waiting, point="files without entry", send="stop")
    second = nursery.run(*again(waiting), workspace=waiting)
    assert second.code == 6, second.said
    assert "Another process is registering a version" in second.said
    assert nursery.wake(sleeper).code == 0
    require_as_undisturbed(waiting, finished)


@pytest.mark.parametrize(
    ("point", "state", "send"),
    [
        ("planned", "planned", "term"),
        ("epoch 2 trained, not kept", "planned", "int"),
        ("epoch 2 trained, not kept", "planned", "term"),
        ("unlearned", "unlearned", "int"),
        ("looked, not measured", "verified", "term"),
        ("files without entry", "registered", "int"),
    ],
)
def test_told_to_stop_it_stops_where_it_can_go_on(
    waiting: Path, finished: Path, nursery: killing.Nursery, point: str, state: str, send: str
) -> None:
    told = nursery.run(*again(waiting), workspace=waiting, point=point, send=send)
    (row,) = rows(waiting)
    assert row.state == state
    assert told.code == (0 if state == "registered" else 6), told.said
    if told.code:
        assert f"`maintain run --resume {row.run}`" in told.said
        assert "Traceback" not in told.said
    assert say(*again(waiting), workspace=waiting).code == 0
    require_as_undisturbed(waiting, finished)


@pytest.mark.parametrize("point", ["planned", "look entered, not committed", "entry written, not committed"])
def test_work_that_does_not_listen_is_stopped_when_its_grace_is_over(
    waiting: Path, finished: Path, nursery: killing.Nursery, point: str
) -> None:
    told = nursery.run(*again(waiting), workspace=waiting, point=point, send="term", hang=30.0)
    assert told.code == 6, told.said
    assert told.seconds < 15
    (row,) = rows(waiting)
    assert f"`maintain run --resume {row.run}`" in told.said
    assert say(*again(waiting), workspace=waiting).code == 0
    require_as_undisturbed(waiting, finished)


def test_a_training_that_is_killed_goes_on_when_the_command_is_said_again(
    tmp_path: Path, trained: Path, nursery: killing.Nursery
) -> None:
    workspace = Path(shutil.copytree(trained, tmp_path / "workspace"))
    split = say("cohort", "split", "second", "--train", 6, "--validation", 1, "--holdout", 6, workspace=workspace)
    frozen = say("cohort", "snapshot", "again", "--model", "second", workspace=workspace)
    assert (split.code, frozen.code) == (0, 0), split.err + frozen.err
    words = ("model", "train", "second", "--snapshot", "again", "--epochs", 6)
    for point, send, code in (
        ("epoch 2 trained, not kept", "kill", -9),
        ("epoch 2 trained, not kept", "term", 6),
        ("epoch 2 trained, not kept", "kill", -9),
    ):
        assert nursery.run(*words, workspace=workspace, point=point, send=send).code == code
    assert list((workspace / "trainings").rglob("checkpoint.pt"))
    ended = nursery.run(*words, workspace=workspace)
    assert ended.code == 0, ended.said
    assert "training: 6/6" in ended.said
    assert "training: 2/6" not in ended.said
    first, second = (
        codec.read(workspace / f"registry/{name}/v0001/version.json", ModelVersion)
        for name in ("fundus-triage", "second")
    )
    assert first.weights == second.weights
    assert not list((workspace / "trainings").rglob("*.*"))
