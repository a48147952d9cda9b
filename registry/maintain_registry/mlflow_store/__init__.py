"""The registry in MLflow: the store of the product, over SQLite in the workspace or over a server.

MLflow is imported on first use, by `connection` alone: a command that asks nothing of the registry does
not pay for it. How MLflow's words are used for ours is decided in docs/adr/0017.
"""

from maintain_registry.mlflow_store.connection import Connection, prepare_registry
from maintain_registry.mlflow_store.store import MlflowStore

__all__ = ["Connection", "MlflowStore", "prepare_registry"]
