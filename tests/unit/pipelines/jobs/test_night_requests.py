"""What a call of scheduled work does for people's requests, and what it leaves to people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from helpers.letters import images_of, make_town, visiting, wish
from helpers.lineage import install, manifest_of
from maintain.clock import FrozenClock
from maintain.database import tables
from maintain.errors import RefusedError
from maintain.requests import RequestStore
from maintain.vocabulary import Found, RequestState
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.jobs import requests as room
from maintain_pipelines.jobs.requests import attend
from maintain_pipelines.jobs.told import RequestsTold

DAY = 24 * 60 * 60

NAME = "R-2026-0001"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_town(tmp_path_factory.mktemp("town") / "workspace")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def context(tmp_path: Path, town: Path, clock: FrozenClock) -> Iterator[Context]:
    with visiting(town, tmp_path / "workspace", clock) as found:
        yield found


def state(context: Context) -> RequestState:
    with context.database.read() as unit:
        return RequestStore(unit).get(NAME).state


def test_without_requests_there_is_nothing_to_tell(context: Context) -> None:
    assert attend(context) == RequestsTold(0, (), (), ())


def test_nothing_is_erased_before_the_days_of_grace_are_over(context: Context, clock: FrozenClock) -> None:
    wish(context, 3)
    clock.move(seconds=3 * DAY - 1)
    assert attend(context) == RequestsTold(1, (), (), ())
    clock.move(seconds=1)
    assert attend(context) == RequestsTold(0, (), (), (NAME,))
    assert state(context) is RequestState.CLOSED
    assert attend(context) == RequestsTold(0, (), (), ())


def test_what_cannot_be_excluded_is_left_to_a_person(context: Context, clock: FrozenClock) -> None:
    with context.database.begin() as unit:
        unit.execute(update(tables.patient).values(linked=None))
    filed = wish(context, 99)
    assert filed.request.found is Found.CANNOT_EXCLUDE
    clock.move(seconds=20 * DAY)
    assert attend(context).closed == ()
    assert state(context) is RequestState.ANSWERED


def test_a_request_that_a_serving_version_stands_in_the_way_of_is_told_by_its_date(
    context: Context, clock: FrozenClock
) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    assert attend(context) == RequestsTold(1, (), (), ())
    clock.move(seconds=25 * DAY)
    assert attend(context) == RequestsTold(1, (), (NAME,), ())
    clock.move(seconds=6 * DAY)
    assert attend(context) == RequestsTold(1, (NAME,), (), ())
    assert state(context) is RequestState.OPEN


def test_a_closing_that_is_refused_is_said_and_stops_nothing(
    context: Context, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, context: Context) -> None:
        raise RefusedError("Something of them is left.", remedy="Look.")

    monkeypatch.setattr(room, "close_request", refuse)
    wish(context, 3)
    clock.move(seconds=3 * DAY)
    said: list[str] = []
    assert attend(replace(context, talk=Talk(said.append, lambda *_: None))).closed == ()
    assert said == [f"{NAME} was not closed. Something of them is left."]


def test_whoever_is_told_to_stop_erases_nothing_more(context: Context, clock: FrozenClock) -> None:
    wish(context, 3)
    clock.move(seconds=3 * DAY)
    assert attend(replace(context, stop=lambda: True)).closed == ()
    assert state(context) is RequestState.ANSWERED
