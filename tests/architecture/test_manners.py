"""House manners that no linter knows."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for root in ("maintain", "policies", "registry", "pipelines")
    for path in sorted((ROOT / root).rglob("*.py"))
    if "migrations" not in path.parts
]


def test_warnings_are_errors() -> None:
    with pytest.raises(UserWarning, match="noticed"):
        warnings.warn("noticed", UserWarning, stacklevel=1)


def test_only_the_command_line_exits() -> None:
    """It, and the programs that containers begin with."""
    found = []
    for path in SOURCES:
        if "cli" in path.parts or path.parent == ROOT / "registry" / "mlflow":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit", "print", "quit"):
                found.append(f"{path.name}:{node.lineno}")
    assert found == []


def test_assert_is_for_impossible_states_alone() -> None:
    """Narrowing a type that cannot be otherwise is what is left for it; input is never asserted."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assert) and not re.search(r" is not None$|^isinstance\(", ast.unparse(node.test)):
                found.append(f"{path.name}:{node.lineno}")
    assert found == []


def test_every_module_says_what_room_it_is() -> None:
    assert [path.name for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def test_the_packages_do_not_import_the_command_line() -> None:
    found = [
        str(path)
        for path in SOURCES
        if "cli" not in path.parts and "maintain.cli" in path.read_text(encoding="utf-8").replace("`maintain.cli", "")
    ]
    assert found == []
