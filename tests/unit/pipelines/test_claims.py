"""One holder a model: a lease by the database's clock, and a fence that shuts out whoever was taken over."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from maintain.database import Database, create_database
from maintain.database.tables import claim as table
from maintain.errors import HeldError, InputError, TakenOverError
from maintain_pipelines.claims import check, guard, hold, new_owner, renew, surely_gone, take


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = create_database(tmp_path / "maintain.db")
    yield opened
    opened.close()


def alter(database: Database, **values: object) -> None:
    with database.begin() as unit:
        unit.execute(update(table).values(values))


def test_a_second_holder_is_refused_and_told_who_holds(database: Database) -> None:
    with hold(database, "m", "first", lease_seconds=60) as claim:
        with pytest.raises(HeldError, match="first works on m") as caught, hold(database, "m", "x", lease_seconds=60):
            pass
        assert (caught.value.holder, caught.value.owner) == ("first", claim.owner)
        with hold(database, "another", "second", lease_seconds=60):
            pass


def test_a_lease_that_holds_nothing_is_refused(database: Database) -> None:
    with pytest.raises(InputError, match="less than a second"), hold(database, "m", "x", lease_seconds=0):
        pass


def test_a_freed_model_is_claimed_again_with_a_larger_fence(database: Database) -> None:
    with hold(database, "m", "first", lease_seconds=60) as first:
        pass
    with hold(database, "m", "second", lease_seconds=60) as second:
        assert (first.fence, second.fence) == (1, 2)


def test_whoever_was_taken_over_can_do_nothing_more(database: Database) -> None:
    with hold(database, "m", "first", lease_seconds=60) as first:
        alter(database, lease_until=1.0)
        with database.begin() as unit:
            second = take(unit, "m", "second", lease_seconds=60)
        for act in (check, lambda unit, claim: renew(unit, claim, lease_seconds=60)):
            with pytest.raises(TakenOverError, match="from first"), database.begin() as unit:
                act(unit, first)
        with pytest.raises(TakenOverError):
            guard(database, first)()
    with database.begin() as unit:
        check(unit, second)


def test_a_silent_holder_that_nobody_took_over_goes_on(database: Database) -> None:
    with hold(database, "m", "first", lease_seconds=60) as first:
        alter(database, lease_until=1.0)
        with database.begin() as unit:
            renew(unit, first, lease_seconds=60)
        with pytest.raises(HeldError), hold(database, "m", "second", lease_seconds=60):
            pass


def test_the_lease_is_renewed_while_the_work_goes_on(database: Database) -> None:
    with hold(database, "m", "first", lease_seconds=1):
        time.sleep(1.5)
        with pytest.raises(HeldError), hold(database, "m", "second", lease_seconds=1):
            pass


def test_a_clock_that_was_set_back_does_not_lengthen_a_lease(database: Database) -> None:
    with database.begin() as unit:
        take(unit, "m", "dead", lease_seconds=1)
        day_ahead = unit.seconds() + 86_400
    alter(database, owner="elsewhere:1:x", lease_until=day_ahead)
    with pytest.raises(HeldError), hold(database, "m", "second", lease_seconds=1):
        pass
    time.sleep(1.1)
    with hold(database, "m", "second", lease_seconds=1) as claim:
        assert claim.fence == 2


def test_a_process_of_this_host_that_is_gone_holds_nothing(database: Database) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    host = new_owner().partition(":")[0]
    assert surely_gone(f"{host}:{ended.pid}:x")
    assert not surely_gone(f"{host}:{os.getpid()}:x")
    assert not surely_gone(f"elsewhere:{ended.pid}:x")
    assert not surely_gone("nonsense")
    with database.begin() as unit:
        take(unit, "m", "dead", lease_seconds=60)
    alter(database, owner=f"{host}:{ended.pid}:x")
    with hold(database, "m", "second", lease_seconds=60) as claim:
        assert claim.fence == 2
