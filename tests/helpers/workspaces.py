"""New workspaces for tests: over a folder unless MLflow is what the test is about, because it takes seconds."""

from __future__ import annotations

from pathlib import Path

from maintain.clock import Clock, FrozenClock
from maintain.settings import FOLDER
from maintain_pipelines.workspace import create_workspace


def new_workspace(
    root: Path, *, clock: Clock | None = None, pseudonym_key: bytes | None = None, registry: str = FOLDER
) -> Path:
    """An empty workspace in that folder."""
    when = clock or FrozenClock()
    create_workspace(root, clock=when, actor="tests", pseudonym_key=pseudonym_key, registry=registry)
    return root
