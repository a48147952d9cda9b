"""A town of people with identifiers, its registry in memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.letters import make_town
from helpers.lineage import opened
from maintain.clock import FrozenClock
from maintain_pipelines.context import Context
from maintain_registry import MemoryStore


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that every test copies."""
    return make_town(tmp_path_factory.mktemp("town") / "workspace")


@pytest.fixture
def context(tmp_path: Path, town: Path) -> Iterator[Context]:
    """A copy of it, open."""
    root = Path(shutil.copytree(town, tmp_path / "workspace"))
    with opened(root, MemoryStore()) as found:
        clock = FrozenClock()
        yield replace(found, clock=clock, ledger=replace(found.ledger, clock=clock))
