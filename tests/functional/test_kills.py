"""Kill -9 at every point of a run, again and again: it ends as if nobody had touched it."""

from __future__ import annotations

import shutil
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
