"""A workspace is made whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from helpers.workspaces import new_workspace
from maintain.clock import FrozenClock
from maintain.database import open_database
from maintain.errors import InputError, WorkspaceError
from maintain.settings import FOLDER, MLFLOW, SETTINGS_FILE, RegistrySettings, Settings, read_settings
from maintain_pipelines import workspace as module
from maintain_pipelines.workspace import create_workspace
from maintain_policies import DEMO_POLICIES
from maintain_registry import open_store


def make(root: Path) -> Path:
    return new_workspace(root)


def test_a_workspace_is_never_made_over_something(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(WorkspaceError, match="not an empty folder"):
        make(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="not an empty folder"):
        make(tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "thesis.tex"]


def test_twice_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "w")
    with pytest.raises(WorkspaceError, match="workspace already"):
        make(tmp_path / "w")


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "create_signing_key", broken)
    with pytest.raises(OSError, match="No space"):
        make(tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_could_not_be_asked_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for store, uri in ((FOLDER, "https://mlflow"), (MLFLOW, "https://me:pw@mlflow"), (MLFLOW, "mlflow:5000")):
        with pytest.raises(InputError):
            create_workspace(tmp_path / "w", clock=FrozenClock(), actor="tests", registry=store, registry_uri=uri)
    assert list(tmp_path.iterdir()) == []


def test_a_server_is_written_into_the_settings(tmp_path: Path) -> None:
    made = create_workspace(
        tmp_path / "w",
        clock=FrozenClock(),
        actor="tests",
        registry=MLFLOW,
        registry_uri="https://mlflow.example",
        registry_credentials='/run/a "b".credentials',
    )
    assert made.settings.registry == RegistrySettings(MLFLOW, "https://mlflow.example", '/run/a "b".credentials')
    assert str(made.registry_credentials) == '/run/a "b".credentials'


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    root = make(tmp_path / "w")
    open_database(root / "maintain.db").close()
    assert read_settings(root / SETTINGS_FILE) == Settings(registry=RegistrySettings(store=FOLDER))
    assert {path.name for path in (root / "policies").iterdir()} == set(DEMO_POLICIES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w"]


def test_it_keeps_versions_in_mlflow_and_the_tables_are_there(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w", clock=FrozenClock(), actor="tests")
    assert workspace.settings.registry == RegistrySettings(store=MLFLOW)
    assert [path.name for path in workspace.registry.iterdir()] == ["mlflow.db"]
    assert open_store(workspace).models() == ()


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    for secret in ("keys/pseudonym.key", "keys/ledger.pem"):
        assert stat.S_IMODE((root / secret).stat().st_mode) == 0o600
    for folder in ("keys", "arrays", "runs", "registry"):
        assert stat.S_IMODE((root / folder).stat().st_mode) == 0o700
