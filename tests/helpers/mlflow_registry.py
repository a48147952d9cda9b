"""Registries in MLflow for tests: an empty one is made once, because MLflow takes seconds to make its tables."""

from __future__ import annotations

import shutil
from pathlib import Path

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
