"""The first process of the registry's server: secrets become private files, and then it is the command."""

from __future__ import annotations

import configparser
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.compose_file import ROOT

SERVER = ROOT / "registry" / "mlflow"

#: Every character that a password file, an INI file or a shell could take for its own.
ODD = r"a:b\c%d%(here)s $e 'f' \"g\" #h ;i =j"

SECRETS = {
    "MLFLOW_DATABASE_PASSWORD": "of the database",
    "MLFLOW_AUTH_ADMIN_PASSWORD": "of the administrator",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "key",
}

#: A command that tells what it was given.
TELL = "import json, os; print(json.dumps(dict(os.environ)))"


def start(folder: Path, *command: str, **secrets: str) -> subprocess.CompletedProcess[str]:
    """Run the entry point with these secrets, in a folder of its own."""
    environment = {
        "PATH": os.environ["PATH"],
        "PGPASSFILE": str(folder / "pgpass"),
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_DATABASE_URI": "postgresql://mlflow@postgres/accounts",
        "TMPDIR": str(folder / "incoming"),
    }
    for name, value in {**SECRETS, **secrets}.items():
        place = folder / name
        place.write_text(value, encoding="utf-8")
        environment[f"{name}_FILE"] = str(place)
    words = [sys.executable, str(SERVER / "entrypoint.py"), *command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", ["", " ", "\n", "two\nlines"])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_none_stops_it(tmp_path: Path, name: str, text: str) -> None:
    ended = start(tmp_path, "true", **{name: text})
    assert (ended.returncode, name in ended.stderr) == (1, True)


def test_no_command_is_an_error(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 1


def test_odd_passwords_arrive_as_they_are_in_private_files(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "half.received").touch()
    ended = start(
        tmp_path, sys.executable, "-c", TELL, MLFLOW_DATABASE_PASSWORD=f"{ODD}\n", MLFLOW_AUTH_ADMIN_PASSWORD=ODD
    )
    assert ended.returncode == 0, ended.stderr
    environment = json.loads(ended.stdout)
    assert environment["MLFLOW_FLASK_SERVER_SECRET_KEY"] == "key"
    assert [name for name, value in environment.items() if ODD in value] == []
    settings = configparser.ConfigParser()
    settings.read(tmp_path / "auth.ini", encoding="utf-8")
    assert settings["mlflow"]["admin_password"] == ODD
    assert settings["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    escaped = ODD.replace("\\", "\\\\").replace(":", "\\:")
    assert (tmp_path / "pgpass").read_text(encoding="utf-8") == f"*:*:*:mlflow:{escaped}\n"
    for name in ("pgpass", "auth.ini"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_second_start_takes_the_new_password(tmp_path: Path) -> None:
    assert start(tmp_path, "true").returncode == 0
    assert start(tmp_path, "true", MLFLOW_DATABASE_PASSWORD="new").returncode == 0
    assert (tmp_path / "pgpass").read_text(encoding="utf-8").endswith(":new\n")


def test_the_account_program_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    words = [sys.executable, str(SERVER / "account.py"), "--password", "x"]
    ended = subprocess.run(words, env={}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "usage: account.py [--administrator]\n")
    (tmp_path / "credentials").write_text("nobody\n", encoding="utf-8")
    given = {"REGISTRY_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    ended = subprocess.run(words[:2], env=given, capture_output=True, text=True, check=False)
    assert (ended.returncode, "user:password" in ended.stderr) == (1, True)
