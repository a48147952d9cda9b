"""What must answer without heavy libraries does, checked in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "monai", "mlflow", "pandas", "sqlalchemy", "scipy", "matplotlib", "pydicom", "numpy", "sklearn")
HELP_SECONDS = 0.3

WATCH = """
import sys
from maintain.cli.app import run
code = run(sys.argv[2:])
heavy = sorted(set(sys.argv[1].split(",")) & set(sys.modules))
sys.stderr.write("HEAVY " + ",".join(heavy))
sys.exit(code)
"""


def watched(*arguments: str, heavy: tuple[str, ...] = HEAVY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WATCH, ",".join(heavy), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], HEAVY),
        (["cohort", "--help"], HEAVY),
        (["policy", "validate", "policies/examples/consent-withdrawal/policy.yaml"], HEAVY),
        (["policy", "schema"], HEAVY),
        (["policy", "new", "--list"], HEAVY),
        (["policy", "test", "policies/examples"], tuple(name for name in HEAVY if name not in ("numpy", "sqlalchemy"))),
    ],
)
def test_it_answers_without_heavy_libraries(arguments: list[str], heavy: tuple[str, ...]) -> None:
    done = watched(*arguments, heavy=heavy)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("HEAVY "), done.stderr


def test_audit_verify_needs_the_database_and_nothing_heavier(tmp_path: Path) -> None:
    assert watched("init", str(tmp_path / "w")).returncode == 0
    heavy = tuple(name for name in HEAVY if name != "sqlalchemy")
    done = watched("--workspace", str(tmp_path / "w"), "audit", "verify", heavy=heavy)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("HEAVY "), done.stderr


def test_the_watch_notices_a_heavy_import() -> None:
    done = watched("--help", heavy=("typer",))
    assert done.stderr.endswith("HEAVY typer")


def test_help_answers_at_once() -> None:
    """Its own work only: what a bare interpreter needs to start is taken off; the best of several counts."""

    def seconds(*command: str) -> float:
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best = min(best, time.perf_counter() - begin)
        return best

    bare = seconds(sys.executable, "-c", "pass")
    whole = seconds(sys.executable, "-c", "import sys; from maintain.cli.app import run; sys.exit(run(['--help']))")
    assert whole - bare < HELP_SECONDS
