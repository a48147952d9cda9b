"""Copies of a version's weights where MLflow keeps things that nobody sees any more, and a look for them everywhere."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from helpers.lineage import MODEL, opened
from maintain.hashing import digest_file
from maintain_registry.mlflow_store import MlflowStore
from maintain_registry.mlflow_store.connection import Connection, asked

#: How many copies `strew` leaves in MLflow.
COPIES = 4

#: What a copy is called: nothing tells what it holds.
NAME = "notes.bin"


def connection_of(store: Any) -> Connection:
    """MLflow as the store of a workspace asks it."""
    assert isinstance(store, MlflowStore)
    return Connection(store.root, store.uri, store.credentials)


def weights_of(workspace: Path, number: int) -> str:
    """The digest of the weights of a version."""
    with opened(workspace) as context:
        return context.store.get(MODEL, number).record.weights


def everywhere(digest: str, *folders: Path) -> list[str]:
    """Every file with these very bytes, looked for without the program's own walk."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if digest_file(path) == digest)


def strew(workspace: Path, number: int, *, name: str = NAME) -> None:
    """Copies in the workspace, and in MLflow in a run, a deleted run, a deleted LoggedModel, a deleted experiment."""
    with opened(workspace) as context, tempfile.TemporaryDirectory() as folder, asked():
        data = context.store.get(MODEL, number).read("weights.safetensors")
        (copy := Path(folder) / name).write_bytes(data)
        (workspace / "runs" / f"copy-{number}.bin").write_bytes(data)
        connection = connection_of(context.store)
        client = connection.client()
        here = client.get_experiment_by_name(connection.experiment(MODEL)[0]).experiment_id
        old, home = connection.experiment(f"old-{number}")
        there = client.create_experiment(old, artifact_location=home)
        runs = [client.create_run(experiment).info.run_id for experiment in (here, here, there)]
        for run in runs:
            client.log_artifact(run, str(copy))
        model = client.create_logged_model(here, name="stray").model_id
        client.log_model_artifact(model, str(copy))
        client.delete_run(runs[1])
        client.delete_logged_model(model)
        client.delete_experiment(there)
