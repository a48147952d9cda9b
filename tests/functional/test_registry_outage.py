"""The registry's server is away, or does not know us: a run that passed waits for it, and is not measured again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.mlflow_server import IMPATIENT, Server, serving
from maintain.database import open_database
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_pipelines import journal
from maintain_registry import Content, FolderStore, MlflowStore

MODEL = "fundus-triage"
POLICY = "policies/consent.yaml"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    for name, value in IMPATIENT.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "server").mkdir()
    with serving(tmp_path / "server") as started:
        yield started


@pytest.fixture
def workspace(fresh: Path, hospital: Path, server: Server) -> Path:
    """A workspace whose champion lies on the server; the letters have arrived."""
    old = FolderStore(fresh / "registry").get(MODEL, 1)
    files = {name: old.read(name) for name in old.files}
    shutil.rmtree(fresh / "registry")
    text = (fresh / "maintain.toml").read_text(encoding="utf-8")
    named = text.replace('store = "folder"', f'store = "mlflow"\nuri = "{server.uri}"')
    (fresh / "maintain.toml").write_text(named, encoding="utf-8")
    store = MlflowStore(fresh / "registry", server.uri)
    store.put(old.record, files)
    store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    said = say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    assert said.code == 0, said.err
    return fresh


def state(workspace: Path) -> tuple[str, str, int]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        (row,) = journal.runs(unit)
        looks = journal.looks(unit, MODEL)
    database.close()
    return row.run, row.state.value, looks


def test_a_run_that_passed_waits_for_the_registry(
    workspace: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = MlflowStore.put

    def refused(self: MlflowStore, version: ModelVersion, files: Mapping[str, Content]) -> None:
        server.refuse(True)
        put(self, version, files)

    with monkeypatch.context() as patched:
        patched.setattr(MlflowStore, "put", refused)
        first = say("run", workspace / POLICY, workspace=workspace)
    run, stood, looks = state(workspace)
    assert (first.code, stood, looks) == (6, "verified", 1), first.out + first.err
    assert f"`maintain run --resume {run}`" in first.err
    assert server.uri not in first.out + first.err
    assert say("cohort", "status", workspace=workspace).code == 0

    server.refuse(False)
    server.stop()
    second = say("run", "--resume", run, workspace=workspace)
    assert (second.code, *state(workspace)[1:]) == (6, "verified", 1), second.err
    assert server.uri not in second.err
    compared = say("audit", "verify", "--registry", workspace=workspace)
    assert (compared.code, server.uri in compared.err) == (6, False), compared.err

    server.start()
    third = say("run", "--resume", run, "--json", workspace=workspace)
    assert third.code == 0, third.out + third.err
    assert third.document["run"] == run
    assert state(workspace)[1:] == ("registered", 1)
    listed = say("registry", "list", "--json", workspace=workspace).document["versions"]
    assert [(item["version"], item["aliases"]) for item in listed] == [(1, ["champion"]), (2, ["candidate"])]
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
