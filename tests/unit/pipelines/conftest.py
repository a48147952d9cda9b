"""A desk for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.desk import Desk
from maintain.arrays import ArrayStore
from maintain.clock import FrozenClock
from maintain.database import create_database
from maintain.intake import Pseudonyms


#: Words that name a patient in some way; each stands in headers, names of files or names of folders.
@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = create_database(tmp_path / "maintain.db")
    yield Desk(database, ArrayStore(tmp_path / "arrays"), Pseudonyms(bytes(range(32))), FrozenClock())
    database.close()
