"""Imports only go down, and a violation is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("maintain", "policies", "registry", "pipelines")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of `pyproject.toml` over the packages below a folder."""
    path = os.pathsep.join(str(folder / part) for part in ("", "policies", "registry", "pipelines"))
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", script, "--no-cache"]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("maintain/gates/verdict.py", "import maintain.imaging", "Torch stays"),
        ("maintain/statistics/metrics.py", "import maintain.gates", "Floors"),
        ("maintain/records/runs.py", "import maintain.codec", "Floors"),
        ("maintain/gates/base.py", "import torch", "Torch stays"),
        ("maintain/unlearn/loop.py", "import scipy", "nothing else heavy"),
        ("maintain/intake/walk.py", "import sqlalchemy", "SQL lives"),
        ("pipelines/maintain_pipelines/verify.py", "import maintain_pipelines.register", "Stages"),
    ],
)
def test_a_planted_violation_is_caught(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    try:
        done = lint(copy)
    finally:
        path.write_text(text, encoding="utf-8")
    broken = [said for said in done.stdout.splitlines() if said.rstrip().endswith("BROKEN")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(contract in said for said in broken), done.stdout


def test_the_house_keeps_its_floors(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
