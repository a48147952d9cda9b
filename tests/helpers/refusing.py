"""A command line that must be refused: one paragraph, the right code, and nothing changed."""

from __future__ import annotations

from pathlib import Path

from helpers.commands import Said, say


def registry_of(workspace: Path) -> dict[str, bytes]:
    files = (path for path in (workspace / "registry").rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(workspace)): path.read_bytes() for path in files}


def refused(
    *arguments: object, workspace: Path, code: int = 2, says: str, remedy: str = "", audit: int | None = 0
) -> Said:
    """Say something wrong: the code, one paragraph without a traceback, no answer, nothing changed."""
    before = registry_of(workspace)
    said = say(*arguments, workspace=workspace)
    assert said.code == code, said.out + said.err
    assert said.err.startswith("maintain: "), said.err
    assert says in said.err, said.err
    assert remedy in said.err, said.err
    assert "Traceback" not in said.err
    assert "\n\n" not in said.err.strip()
    assert said.out == ""
    assert registry_of(workspace) == before
    if audit is not None:
        assert say("audit", "verify", workspace=workspace).code == audit
    return said
