"""The store that a workspace names. Opening one asks nothing of it: MLflow is imported when it is asked."""

from __future__ import annotations

from maintain.settings import MLFLOW, Workspace
from maintain_registry.folder import FolderStore
from maintain_registry.port import ModelStore


def open_store(workspace: Workspace) -> ModelStore:
    """Where the versions of a workspace are kept."""
    settings = workspace.settings.registry
    if settings.store == MLFLOW:
        from maintain_registry.mlflow_store import MlflowStore

        return MlflowStore(workspace.registry, settings.uri, workspace.registry_credentials)
    return FolderStore(workspace.registry)
