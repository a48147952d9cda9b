"""What rooms of tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.mlflow_registry import make_template
from helpers.services import RegistryServer, registry_server


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty registry in MLflow. Copy it."""
    return make_template(tmp_path_factory.mktemp("mlflow"))


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """`mlflow server` on PostgreSQL with passwords, files beside the credentials: one for all, so empty it first."""
    with registry_server(tmp_path_factory.mktemp("server")) as started:
        yield started
