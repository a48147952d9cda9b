"""Registries in MLflow for tests: an empty one is made once, because MLflow takes seconds to make its tables."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from maintain_registry.mlflow_store.connection import DATABASE_FILE, Connection, asked


def make_template(root: Path) -> Path:
    """An empty registry; skips, and says so, where MLflow is not installed."""
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    root.mkdir(parents=True, exist_ok=True)
    with asked():
        Connection(root).client().search_registered_models()
    return root


def copied(template: Path, root: Path) -> Path:
    """A registry of its own in that folder."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(template / DATABASE_FILE, root / DATABASE_FILE)
    return root


def emptied(uri: str, credentials: Path) -> None:
    """Forget everything on a server: models for good, experiments by another name."""
    with asked():
        client = Connection(Path(), uri, credentials).client()
        for model in client.search_registered_models():
            client.delete_registered_model(model.name)
        for experiment in client.search_experiments(filter_string="name LIKE 'maintain/%'"):
            client.rename_experiment(experiment.experiment_id, f"gone-{uuid4().hex}")
            client.delete_experiment(experiment.experiment_id)
