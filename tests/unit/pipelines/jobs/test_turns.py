"""A turn belongs to one process: kept by a lease, taken over from whoever is gone, and never written by two."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from maintain.database import Database, create_database
from maintain.database.daily_tables import turn as table
from maintain.database.tables import run as runs
from maintain.errors import TakenOverError
from maintain.vocabulary import JobOutcome
from maintain_pipelines.claims import new_owner
from maintain_pipelines.jobs import turns
from maintain_pipelines.jobs.due import Due
from maintain_pipelines.jobs.turns import OpenTurn, Turn

NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
DUE = Due(NIGHT, 2)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = create_database(tmp_path / "maintain.db")
    with opened.begin() as unit:
        turns.enter(unit, "job", NIGHT)
    yield opened
    opened.close()


def taken(database: Database, *, lease_seconds: float = 60) -> Turn:
    with database.begin() as unit:
        return turns.take(unit, "job", DUE, now=NIGHT, lease_seconds=lease_seconds)


def left(database: Database) -> OpenTurn:
    with database.read() as unit:
        found = turns.standing_of(unit, "job").open
    assert found is not None
    return found


def alter(database: Database, **values: object) -> None:
    with database.begin() as unit:
        unit.execute(update(table).values(values))


def owner_that_is_gone() -> str:
    gone = subprocess.Popen(["true"])
    gone.wait()
    return new_owner().replace(f":{os.getpid()}:", f":{gone.pid}:")


def test_whoever_was_taken_over_writes_nothing_more(database: Database) -> None:
    first = taken(database)
    alter(database, lease_until=1.0)
    with database.begin() as unit:
        second = turns.take_over(unit, "job", left(database), DUE, lease_seconds=60)
    with pytest.raises(TakenOverError), database.begin() as unit:
        turns.name_run(unit, first, "run")
    with pytest.raises(TakenOverError), database.begin() as unit:
        turns.end(unit, first, JobOutcome.PASSED, "", now=NIGHT)
    with turns.kept(database, first, lease_seconds=60):
        pass
    assert left(database).held
    with database.begin() as unit:
        turns.end(unit, second, JobOutcome.PASSED, "done", now=NIGHT)
    with pytest.raises(TakenOverError), database.begin() as unit:
        turns.end(unit, second, JobOutcome.PASSED, "twice", now=NIGHT)


def test_a_turn_is_held_by_its_lease_and_while_its_process_may_live(database: Database) -> None:
    taken(database)
    assert left(database).held
    alter(database, lease_until=1.0)
    assert not left(database).held
    alter(database, lease_until=time.time() + 60, owner=owner_that_is_gone())
    assert not left(database).held
    alter(database, owner="elsewhere:1:x")
    assert left(database).held
    alter(database, owner=None)
    assert not left(database).held


def test_a_clock_that_was_set_back_does_not_lengthen_a_lease(database: Database) -> None:
    taken(database)
    alter(database, owner="elsewhere:1:x", lease_until=time.time() + 86_400)
    with database.begin() as unit:
        turns.shorten(unit, 0.0)
    assert not left(database).held


def test_the_lease_is_renewed_while_the_work_goes_on_and_given_up_after(database: Database) -> None:
    turn = taken(database, lease_seconds=0.3)
    with turns.kept(database, turn, lease_seconds=0.3):
        time.sleep(0.6)
        assert left(database).held
    assert left(database) == OpenTurn(NIGHT, 2, None, held=False)


def test_a_run_that_was_named_is_found_by_whoever_takes_over_once_it_has_begun(database: Database) -> None:
    turn, name = taken(database), "20260303-030000-job-1a2b"
    with database.begin() as unit:
        turns.name_run(unit, turn, name)
    assert left(database).run is None
    words = ("model", "policy", "policy_name", "champion", "state", "started", "changed")
    with database.begin() as unit:
        unit.execute(insert(runs), {"run": name, "slot": 1, **dict.fromkeys(words, "planned")})
    found = left(database)
    with database.begin() as unit:
        again = turns.take_over(unit, "job", found, DUE, lease_seconds=60)
    assert (again.run, again.missed, again.due) == (name, 2, "2026-03-03T03:00:00Z")


def test_a_second_that_a_turn_stands_for_is_not_given_twice(database: Database) -> None:
    taken(database)
    with database.read() as unit:
        assert turns.free_moment(unit, "job", NIGHT.replace(microsecond=5)) == NIGHT.replace(second=1)
        assert turns.free_moment(unit, "other", NIGHT) == NIGHT
