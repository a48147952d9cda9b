"""A workspace names its store, and opening it asks nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.commands import ENVIRONMENT
from maintain.settings import FOLDER, MLFLOW, RegistrySettings, Settings, Workspace
from maintain_registry import FolderStore, MlflowStore, ModelStore, browsing_command, open_store


@pytest.mark.parametrize(("store", "kind"), [(FOLDER, FolderStore), (MLFLOW, MlflowStore)])
def test_the_store_is_the_one_that_is_named(tmp_path: Path, store: str, kind: type[ModelStore]) -> None:
    opened = open_store(Workspace(tmp_path, Settings(registry=RegistrySettings(store=store))))
    assert type(opened) is kind
    assert opened.models() == ()
    assert opened.versions("nobody") == ()
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_made_before_there_was_a_choice_keeps_its_folder(tmp_path: Path) -> None:
    assert isinstance(open_store(Workspace(tmp_path, Settings())), FolderStore)


def test_only_a_registry_in_the_workspace_has_a_command_to_see_it(tmp_path: Path) -> None:
    def said(**settings: str) -> str | None:
        return browsing_command(Workspace(tmp_path / "a place", Settings(registry=RegistrySettings(**settings))))

    assert said(store=FOLDER) is None
    assert said(store=MLFLOW, uri="https://registry.example") is None
    told = said(store=MLFLOW)
    assert told is not None
    assert "MLFLOW_DISABLE_TELEMETRY=true" in told
    assert told.endswith(f"--backend-store-uri 'sqlite:///{tmp_path}/a place/registry/mlflow.db'")


def test_opening_does_not_import_mlflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from maintain.settings import RegistrySettings, Settings, Workspace;"
        "from maintain_registry import open_store;"
        "open_store(Workspace(Path(sys.argv[1]), Settings(registry=RegistrySettings(store='mlflow')))).models();"
        "assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=ENVIRONMENT, check=True)
