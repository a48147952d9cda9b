"""An open unit of work over a fresh database, rolled back after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.cohorts import undone
from maintain.database import Database, UnitOfWork, create_database


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("cohort") / "maintain.db")
    yield database
    database.close()


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with undone(database) as unit:
        yield unit
