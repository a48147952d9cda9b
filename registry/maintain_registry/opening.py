"""The store that a workspace names. Opening one asks nothing of it: MLflow is imported when it is asked, or made."""

from __future__ import annotations

import shlex

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


def prepare_store(workspace: Workspace) -> None:
    """Make what the store of a new workspace needs, so that the first command that asks it does not wait."""
    settings = workspace.settings.registry
    if settings.store == MLFLOW and not settings.uri:
        from maintain_registry.mlflow_store import prepare_registry

        prepare_registry(workspace.registry)


def browsing_command(workspace: Workspace) -> str | None:
    """What to type to see the registry in MLflow's own pages; None where it is not in the workspace's MLflow."""
    settings = workspace.settings.registry
    if settings.store != MLFLOW or settings.uri:
        return None
    from maintain_registry.mlflow_store import Connection

    return f"{_ALONE} mlflow ui --workers 1 --backend-store-uri {shlex.quote(Connection(workspace.registry).address)}"


# --- private ---------------------------------------------------------------------------------------

#: Without these MLflow's pages tell their maker of their use, and keep seven more processes for jobs.
_ALONE = "MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"
