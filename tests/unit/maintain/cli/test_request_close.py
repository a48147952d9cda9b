"""`maintain request close`: nothing is erased unless somebody says so, and what was erased is told."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import typer

from helpers.erasing import LEARNED, REQUEST, Person, file_answered, make_hospital, state_of, traces
from maintain.cli import request_close
from maintain.cli.options import Place
from maintain.errors import InputError, NothingToDoError, UnknownNameError


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_hospital(tmp_path_factory.mktemp("hospital") / "workspace")
    file_answered(root, LEARNED)
    return root


@pytest.fixture
def workspace(tmp_path: Path, hospital: Path) -> Path:
    return Path(shutil.copytree(hospital, tmp_path / "workspace"))


def close(workspace: Path, *words: str) -> str:
    """The command alone, as its noun runs it; what it says on stdout."""
    application = typer.Typer()
    request_close.add_to(application)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        application(list(words), obj=Place(workspace), standalone_mode=False)
    return out.getvalue()


def test_nothing_is_erased_without_a_name_or_a_yes(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="which request"):
        close(workspace, "--yes")
    with pytest.raises(InputError, match="no place beside"):
        close(workspace, REQUEST, "--yes", "--ready")
    with pytest.raises(UnknownNameError, match="no request called"):
        close(workspace, "R-2026-0099", "--yes")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{REQUEST}\n"))
    with pytest.raises(InputError, match="Nobody is at the terminal"):
        close(workspace, REQUEST)
    assert state_of(workspace) == "answered"


def test_what_is_typed_at_a_terminal_must_be_the_request(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    with pytest.raises(InputError, match="not the request"):
        close(workspace, REQUEST)
    assert state_of(workspace) == "answered"
    monkeypatch.setattr("sys.stdin", Terminal(f"{REQUEST}\n"))
    close(workspace, REQUEST)
    assert state_of(workspace) == "closed"


def test_readiness_is_told_for_every_answered_request(workspace: Path) -> None:
    assert close(workspace, "--ready") == f"{REQUEST}: ready to be closed.\n"
    (workspace / "maintain.db.old").write_bytes(f"patient-{LEARNED:04d}".encode())
    said = close(workspace, "--ready", REQUEST)
    assert f"{REQUEST}: not yet." in said
    assert "maintain.db.old" in said
    document = json.loads(close(workspace, "--ready", "--json"))
    assert [len(item["standing"]) for item in document["requests"]] == [1]


def test_a_tombstone_is_told_to_people_and_to_programs(workspace: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(workspace, tmp_path / "other"))
    said = close(workspace, REQUEST, "--yes")
    assert f"{REQUEST} is closed, ledger entry" in said
    assert "the PACS" in said
    document = json.loads(close(other, REQUEST, "--yes", "--json"))
    assert document["schema"] == "maintain.cli.request-close"
    assert document["erased"]["patient"] == 1
    for place in (workspace, other):
        assert traces(place, Person(LEARNED)) == []
    with pytest.raises(NothingToDoError):
        close(workspace, REQUEST, "--yes")
    assert close(workspace, "--ready") == "No request is answered and waits to be closed.\n"


def test_what_is_ready_says_who_could_not_be_excluded(workspace: Path) -> None:
    assert "cannot be excluded" not in close(workspace, "--ready")
    with contextlib.closing(sqlite3.connect(workspace / "maintain.db", isolation_level=None)) as database:
        database.execute("update request set found = 'cannot-exclude'")
    assert f"`maintain request show {REQUEST}` says why" in close(workspace, "--ready")
