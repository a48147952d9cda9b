"""docs/install.md: what needs no network is run in a checkout of its own, in order; what does is held to the files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")

#: What is run here, and what would ask the network.
OFFLINE = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()
ONLINE = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).splitlines()

#: What a wheel is made of.
SOURCES = ("maintain", "policies", "registry", "pipelines")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources alone."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_what_needs_no_network_works_from_an_empty_environment_to_none(checkout: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    said = {}
    for line in OFFLINE:
        command = line.replace("python3", sys.executable).replace("pip install", "pip install --ignore-installed")
        done = subprocess.run(
            ["sh", "-euc", command], cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        said[line] = done.stdout
        if " -m venv " in line:
            _lend_packages(checkout / ".venv")
    assert said[".venv/bin/maintain --version"].startswith("maintain ")
    assert "Problems: 0." in said[".venv/bin/maintain --workspace try-it doctor"]
    assert len(said) == len(OFFLINE) >= 8
    assert not (checkout / ".venv").exists()


def test_what_the_other_commands_name_is_there() -> None:
    assert len(ONLINE) >= 8
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (torch,) = re.findall(r"^torch==.*$", lock, re.MULTILINE)
    assert f"`{torch}`" in PAGE
    indexes = set(re.findall(r"https://\S+", "\n".join(ONLINE)))
    assert indexes == set(re.findall(r'TORCH_INDEX: "(\S+)"', (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert all("pip install" in line or "pip download" in line for line in ONLINE)


def test_the_versions_of_python_are_those_of_the_package() -> None:
    declared = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert re.findall(r"3\.\d\d", PAGE.split("\n\n")[1]) == declared


# --- private ---------------------------------------------------------------------------------------


def _lend_packages(environment: Path) -> None:
    """What the network would bring lies in this test's own environment; the package under test must not."""
    (packages,) = environment.glob("lib/python3.*/site-packages")
    lent = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
