"""One wheel that holds exactly the four packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from maintain_policies import KINDS

ROOT = Path(__file__).parents[2]
PACKAGES = {"maintain", "maintain_policies", "maintain_registry", "maintain_pipelines"}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("clinical_maintain-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_holds_nothing_else(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert [name for name in names if "tests/" in name or "examples/" in name or "__pycache__" in name] == []


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_is_typed(names: list[str], package: str) -> None:
    assert f"{package}/py.typed" in names


@pytest.mark.parametrize(
    "data",
    [
        "maintain/report/templates/run.html.j2",
        "maintain/database/migrations/env.py",
        "maintain/database/migrations/versions/0001_the_first_tables.py",
        "maintain/unlearn/table/measured.json",
        *(f"maintain_policies/kinds/{kind}/{name}.yaml" for kind in KINDS for name in ("policy", "cohort", "expect")),
    ],
)
def test_what_the_packages_read_travels_with_them(names: list[str], data: str) -> None:
    assert data in names


def test_the_console_script_is_there(names: list[str]) -> None:
    assert any(name.endswith("entry_points.txt") for name in names)
