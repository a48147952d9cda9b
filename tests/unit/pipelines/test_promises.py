"""The doctor on what has a date: requests that are overdue, people who could not be found, work nobody calls for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from helpers.letters import images_of, make_town, visiting, wish
from helpers.lineage import install, manifest_of
from maintain.clock import FrozenClock
from maintain.database import tables
from maintain.vocabulary import Health
from maintain_pipelines.context import Context
from maintain_pipelines.doctor.findings import Finding
from maintain_pipelines.doctor.promises import check_jobs, check_requests

DAY = 24 * 60 * 60


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


def of_requests(context: Context) -> list[Finding]:
    return list(check_requests(context.workspace, context.clock))


def of_jobs(context: Context) -> Finding:
    (found,) = check_jobs(context.workspace, context.clock)
    return found


def left(context: Context, **facts: object) -> None:
    context.workspace.heartbeat.write_text(json.dumps(facts))


def test_an_overdue_request_is_a_problem_and_one_that_is_due_soon_a_note(context: Context, clock: FrozenClock) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    assert [found.health for found in of_requests(context)] == [Health.OK]
    clock.move(seconds=25 * DAY)
    soon, _ = of_requests(context)
    assert (soon.health, soon.said) == (Health.NOTE, "Due soon: R-2026-0001.")
    clock.move(seconds=6 * DAY)
    (overdue,) = of_requests(context)
    assert (overdue.health, overdue.said) == (Health.PROBLEM, "Overdue: R-2026-0001.")


def test_people_who_could_not_be_found_are_a_note_before_any_letter_comes(context: Context) -> None:
    with context.database.begin() as unit:
        unit.execute(update(tables.patient).values(linked=False))
    unlinked, fine = of_requests(context)
    assert unlinked.health is Health.NOTE
    assert "12 studies whose PatientID names nobody" in unlinked.said
    assert str(unlinked.repair).startswith("Ask the archive")
    assert fine.health is Health.OK


def test_work_that_nobody_calls_for_is_a_problem(context: Context, clock: FrozenClock) -> None:
    assert (of_jobs(context).health, of_jobs(context).said) == (Health.OK, "No policy was ever scheduled.")
    with context.database.begin() as unit:
        unit.execute(insert(tables.job), {"job": "forget", "since": "2026-01-01T00:00:00Z"})
    assert of_jobs(context).health is Health.PROBLEM
    left(context, ended="2026-01-01T03:00:05Z", following="2026-01-02T03:00:00Z")
    assert of_jobs(context).health is Health.OK
    clock.move(seconds=1.5 * DAY)
    assert of_jobs(context).health is Health.OK
    clock.move(seconds=DAY)
    silent = of_jobs(context)
    assert silent.health is Health.PROBLEM
    assert "nobody called for it" in silent.said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ended": null}'])
def test_a_broken_heartbeat_is_a_problem(context: Context, text: str) -> None:
    with context.database.begin() as unit:
        unit.execute(insert(tables.job), {"job": "forget", "since": "2026-01-01T00:00:00Z"})
    context.workspace.heartbeat.write_text(text)
    assert "missing or broken" in of_jobs(context).said
