"""A town of people with identifiers, its registry in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.letters import make_town, visiting
from maintain_pipelines.context import Context


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that every test copies."""
    return make_town(tmp_path_factory.mktemp("town") / "workspace")


@pytest.fixture
def context(tmp_path: Path, town: Path) -> Iterator[Context]:
    """A copy of it, open."""
    with visiting(town, tmp_path / "workspace") as found:
        yield found
