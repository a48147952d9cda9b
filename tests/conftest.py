"""What rooms of tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.mlflow_registry import make_template


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty registry in MLflow. Copy it."""
    return make_template(tmp_path_factory.mktemp("mlflow"))
