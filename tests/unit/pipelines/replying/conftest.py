"""A town of people with identifiers, whose files intake named as it does, its registry in a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, update

from helpers.letters import make_town
from helpers.lineage import opened
from maintain.clock import FrozenClock
from maintain.database import tables
from maintain_pipelines.context import Context


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that every test copies."""
    root = make_town(tmp_path_factory.mktemp("town") / "workspace")
    with opened(root) as context, context.database.begin() as unit:
        unit.execute(update(tables.file).values(path=func.hex(tables.file.c.id)))
    return root


@pytest.fixture
def context(tmp_path: Path, town: Path) -> Iterator[Context]:
    """A copy of it, open."""
    root = Path(shutil.copytree(town, tmp_path / "workspace"))
    with opened(root) as found:
        clock = FrozenClock()
        yield replace(found, clock=clock, ledger=replace(found.ledger, clock=clock))
