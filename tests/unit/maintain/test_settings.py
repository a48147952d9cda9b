"""`maintain.toml` is parsed strictly, and a workspace is found from inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError, WorkspaceError
from maintain.settings import WORKSPACE_VARIABLE, Settings, find_workspace, read_settings


def test_no_workspace_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    with pytest.raises(WorkspaceError, match=r"no workspace here") as caught:
        find_workspace(None)
    assert "maintain init" in caught.value.remedy


def test_every_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "maintain.toml"
    path.write_text('[leger]\nheads = "x"\n[compute]\nthread = 1\n[database]\nfile = 3\n')
    with pytest.raises(InputError) as caught:
        read_settings(path)
    for said in (
        "leger",
        "did you mean ledger?",
        "compute.thread ",
        "compute.threads?",
        "database.file must be str",
    ):
        assert said in caught.value.message


@pytest.mark.parametrize("text", ["[ledger", "ledger = 1", "\xff"])
def test_broken_toml_is_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "maintain.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"maintain\.toml"):
        read_settings(path)


def test_an_empty_file_is_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maintain.toml").touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)
    workspace = find_workspace(None)
    assert workspace.root == tmp_path
    assert workspace.settings == Settings()
    assert workspace.database == tmp_path / "maintain.db"


def test_the_environment_names_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maintain.toml").write_text('[ledger]\nheads = "/mnt/elsewhere/heads"\n')
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    assert find_workspace(None).ledger_heads == Path("/mnt/elsewhere/heads")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('store = "cupboard"', "registry.store cannot be 'cupboard'"),
        ('uri = "https://registry.example"', "and the store is 'folder'"),
        ('store = "mlflow"\nuri = "sqlite:///elsewhere.db"', "not the address of a server"),
        ('store = "mlflow"\nuri = "https://maintain:hunter2@registry.example"', "holds credentials"),
    ],
)
def test_a_registry_that_cannot_be_is_refused_and_no_password_repeated(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "maintain.toml"
    path.write_text(f"[registry]\n{text}\n")
    with pytest.raises(InputError, match=said) as caught:
        read_settings(path)
    assert "hunter2" not in caught.value.message + caught.value.remedy


def test_a_registry_on_a_server_is_named_without_its_password(tmp_path: Path) -> None:
    path = tmp_path / "maintain.toml"
    path.write_text('[registry]\nstore = "mlflow"\nuri = "https://registry.example"\n')
    registry = read_settings(path).registry
    assert (registry.store, registry.uri) == ("mlflow", "https://registry.example")
    assert registry.credentials == Settings().registry.credentials
