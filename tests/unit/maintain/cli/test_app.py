"""What nobody expected is told without a value of anybody's, and a reader who leaves changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from helpers.commands import say
from maintain import __version__
from maintain.cli import app as application
from maintain.errors import RefusedError

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}

PROGRAM = "from maintain.cli.app import main; main()"


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line with a command that stumbles over a patient."""
    other = typer.Typer()

    @other.command()
    def stumble(as_json: bool = typer.Option(False, "--json")) -> None:
        patient = "CANARY^JANE"
        try:
            int(patient)
        except ValueError as error:
            raise KeyError(f"no column {patient}") from error

    @other.command()
    def refuse() -> None:
        raise RefusedError("No.", remedy="Nothing.")

    monkeypatch.setattr(application, "app", other)


@pytest.mark.usefixtures("_broken")
def test_an_unexpected_error_is_told_without_values_messages_or_locals() -> None:
    said = say("stumble")
    assert said.code == 4
    assert said.out == ""
    assert said.err.startswith("maintain: An error inside the program (KeyError).")
    assert "in stumble" in said.err
    assert "after ValueError" in said.err
    assert "`maintain doctor`" in said.err
    assert "CANARY" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("_broken")
def test_with_json_it_is_a_document_too() -> None:
    said = say("stumble", "--json")
    assert said.code == 4
    assert said.document["error"] == "KeyError"
    assert "CANARY" not in said.out + said.err


@pytest.mark.usefixtures("_broken")
def test_an_expected_failure_is_no_internal_error() -> None:
    assert say("refuse").code == 1


def piped(arguments: list[str], reader: str, *, cwd: Path) -> tuple[int, str]:
    """A command whose reader leaves early: its own exit code, and what it said on stderr."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        subprocess.run(reader, shell=True, stdin=writer.stdout, capture_output=True, check=False)
        writer.stdout.close()
        error = writer.stderr.read().decode()
        return writer.wait(), error


@pytest.mark.parametrize("arguments", [["policy", "schema"], ["policy", "schema", "--json"], ["cohort", "--help"]])
@pytest.mark.parametrize("reader", ["head -c 10", "true"])
def test_a_reader_who_leaves_changes_neither_exit_code_nor_stderr(
    arguments: list[str], reader: str, tmp_path: Path
) -> None:
    assert piped(arguments, reader, cwd=tmp_path) == (0, "")


def test_a_terminal_without_these_letters_gets_escapes(tmp_path: Path) -> None:
    policy = tmp_path / "ä.yaml"
    policy.write_text("version: 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "policy", "validate", str(policy)],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "\\xe4.yaml" in done.stderr
    assert json.dumps(done.stdout) == '""'


def test_the_version_needs_no_command() -> None:
    said = say("--version")
    assert (said.code, said.out) == (0, f"maintain {__version__}\n")


def test_the_module_is_the_program_too() -> None:
    command = [sys.executable, "-m", "maintain.cli.app", "cohort"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Usage:" in done.stdout + done.stderr
