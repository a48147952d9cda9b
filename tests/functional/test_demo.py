"""`maintain demo`, over the store that a new workspace is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import say
from maintain.settings import MLFLOW, find_workspace
from maintain_registry import MlflowStore, open_store

#: A few passes over the tests' hospital prove nothing about retention, which is no matter here.
SHORT = ("--seed", "3", "--epochs", "2")


def test_it_ends_in_mlflow_and_said_again_shows_the_end(hospital: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    (tmp_path / "hospital").symlink_to(hospital)
    said = say("demo", tmp_path, *SHORT, "--json")
    assert said.code in (0, 1, 3), said.err
    workspace = find_workspace(tmp_path / "workspace")
    assert workspace.settings.registry.store == MLFLOW
    store = open_store(workspace)
    assert isinstance(store, MlflowStore)
    assert store.versions("fundus-triage")[0] == 1
    assert said.document["browsing"].endswith(f"sqlite:///{workspace.root}/registry/mlflow.db")
    again = say("demo", tmp_path, *SHORT)
    assert again.code == said.code
    assert f"Or in MLflow's own pages: {said.document['browsing']}" in again.out
    assert "finished before" in again.out + again.err
