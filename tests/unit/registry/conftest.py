"""What the registry's tests share: the parts of a workspace, and the hands of an attacker."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from maintain.clock import FrozenClock
from maintain.database import Database, create_database, open_database
from maintain_registry.ledger import Ledger
from maintain_registry.signing import Signer, create_signing_key, load_signer


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "maintain.db"
    create_database(path).close()
    return path


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    path = tmp_path_factory.mktemp("keys") / "ledger.pem"
    create_signing_key(path)
    return load_signer(path)


@pytest.fixture
def database(tmp_path: Path, template: Path) -> Iterator[Database]:
    shutil.copy(template, tmp_path / "maintain.db")
    opened = open_database(tmp_path / "maintain.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FrozenClock, signer: Signer) -> Ledger:
    return Ledger(clock, signer, "tests", tmp_path / "ledger.heads")


@pytest.fixture
def attacker(tmp_path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    """Somebody who may write the database file: the first thing they do is drop the triggers."""
    connection = sqlite3.connect(tmp_path / "maintain.db", isolation_level=None)
    for name in ("ledger_no_update", "ledger_no_delete", "ledger_no_replace"):
        connection.execute(f"drop trigger {name}")
    yield connection
    connection.close()
