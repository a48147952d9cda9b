"""Real calls of scheduled work: two at once, killed in the middle, told to stop; each due job runs once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from helpers import killing
from helpers.commands import Said, say
from helpers.nights import answered, lay, make_scheduled
from maintain import codec
from maintain.database import open_database
from maintain.database.daily_tables import turn as table
from maintain.records import ModelVersion
from maintain_pipelines import journal

#: Due jobs of a night; each matches one image of its own that nobody learned from.
AGES = range(21, 41)
JOBS = len(AGES)

SCHEDULE = "schedule: {cron: 0 3 * * *, zone: Europe/Vienna}\n"


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with due jobs, each of which begins a run with nothing to unlearn. Copy it."""
    root = make_scheduled(tmp_path_factory.mktemp("twenty") / "workspace")
    laid = datetime.now(UTC) - timedelta(days=1, hours=1)
    for number, age in enumerate(AGES):
        lay(root, f"job-{number:02d}", age=age, laid=laid)
    with (root / "maintain.toml").open("a", encoding="utf-8") as stream:
        stream.write("\nlease_seconds = 2\n")
    return root


@pytest.fixture
def night(tmp_path: Path, twenty: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(twenty, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    """Where the processes of this file come from."""
    more = ("maintain.cli.jobs", "maintain_pipelines.jobs", "helpers.nights")
    with killing.nursery(tmp_path_factory.mktemp("nursery"), *more) as opened:
        yield opened


def rows(workspace: Path) -> tuple[list[tuple[str, str | None, str | None]], Counter[str]]:
    """The turns there are, and how many runs each policy had."""
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        turns = [(row.job, row.outcome, row.run) for row in unit.rows(select(table).order_by(table.c.job))]
        begun = Counter(row.policy_name for row in journal.runs(unit))
    database.close()
    return turns, begun


def require_each_once(workspace: Path) -> None:
    names = [f"job-{number:02d}" for number in range(JOBS)]
    turns, begun = rows(workspace)
    assert [(job, outcome) for job, outcome, _ in turns] == [(name, "nothing-to-do") for name in names]
    assert begun == Counter(names)
    assert len({run for _, _, run in turns}) == JOBS
    assert say("audit", "verify", workspace=workspace).code == 0


# --- refusals --------------------------------------------------------------------------------------


def refused(*arguments: object, workspace: Path, says: str) -> Said:
    said = say("jobs", *arguments, workspace=workspace)
    assert said.code == 2
    assert says in said.err
    return said


def test_what_cannot_be_meant_is_refused(night: Path) -> None:
    refused("run-due", "--again", "why not", workspace=night, says="--again needs --job")
    refused("run-due", "--job", "job-0", workspace=night, says="There is no job called 'job-0'")
    refused("due", "--at", "2026-03-29", workspace=night, says="--at cannot be '2026-03-29'")
    refused("due", "--at", "tomorrow", workspace=night, says="with its offset")
    refused("due", "--at", "9999-12-31T00:00Z", workspace=night, says="--at cannot be")
    assert rows(night) == ([], Counter())


# --- each once -------------------------------------------------------------------------------------


def test_two_calls_at_once_run_each_job_once(night: Path, nursery: killing.Nursery) -> None:
    ended = nursery.run(2, workspace=night, call="helpers.nights:call_together")
    assert ended.code == 0, ended.said
    require_each_once(night)
    answers = [json.loads(answered(night, number).read_text(encoding="utf-8")) for number in range(2)]
    ran = Counter(turn["job"] for answer in answers for turn in answer["turns"] if turn["run"] is not None)
    assert ran == Counter(f"job-{number:02d}" for number in range(JOBS))


def test_killed_in_the_middle_and_called_again_each_job_runs_once(night: Path, nursery: killing.Nursery) -> None:
    for point in killing.JOBS:
        killed = nursery.run("jobs", "run-due", workspace=night, point=point)
        assert killed.code == -9, f"{point}: {killed.code} {killed.said}"
    ended = nursery.run("jobs", "run-due", "--json", workspace=night)
    assert ended.code == 0, ended.said
    require_each_once(night)
    assert say("jobs", "run-due", workspace=night).out.startswith("No job is due.")


def test_a_call_that_slept_past_its_lease_runs_nothing_twice(night: Path, nursery: killing.Nursery) -> None:
    for path in sorted((night / "policies").glob("job-*.yaml"))[4:]:
        path.unlink()
    sleeper = nursery.run("jobs", "run-due", workspace=night, point="run named, not begun", send="stop")
    assert sleeper.stopped
    first = say("jobs", "run-due", "--detailed-exit", "--json", workspace=night)
    assert (first.code, first.document["elsewhere"]) == (6, ["job-01"])
    until = time.monotonic() + 30
    while any(outcome is None for _, outcome, _ in rows(night)[0]) and time.monotonic() < until:
        assert say("jobs", "run-due", workspace=night).code == 0
        time.sleep(0.2)
    before = rows(night)
    assert before[1] == Counter(f"job-{number:02d}" for number in range(4))
    woken = nursery.wake(sleeper)
    assert "job-01: another process works on it, or did just now." in woken.said
    assert (woken.code, rows(night)) == (0, before)


# --- a run that is worth its time ------------------------------------------------------------------


@pytest.fixture
def lettered(tmp_path: Path, trained: Path, hospital: Path) -> Path:
    """A workspace in which letters have arrived and the policy that answers them is due."""
    workspace = Path(shutil.copytree(trained, tmp_path / "workspace"))
    said = say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    assert said.code == 0, said.err
    path = workspace / "policies" / "consent.yaml"
    laid = datetime.now(UTC) - timedelta(days=3)
    path.write_text(path.read_text(encoding="utf-8") + SCHEDULE, encoding="utf-8")
    os.utime(path, (laid.timestamp(), laid.timestamp()))
    return workspace


def test_a_run_that_was_killed_or_stopped_is_gone_on_with_and_not_begun_anew(
    lettered: Path, finished: Path, nursery: killing.Nursery
) -> None:
    foreseen = say("jobs", "due", workspace=lettered).out
    assert "consent-withdrawal: would run" in foreseen
    assert "2 earlier missed" in foreseen
    assert "To forget: " in foreseen
    assert nursery.run("jobs", "run-due", workspace=lettered, point="unlearned").code == -9
    (turn,), begun = rows(lettered)
    assert (turn[1], begun) == (None, Counter(["consent-withdrawal"]))
    assert "consent-withdrawal: would go on" in say("jobs", "due", workspace=lettered).out
    told = nursery.run("jobs", "run-due", workspace=lettered, point="looked, not measured", send="term")
    assert told.code == 6, told.said
    assert "Interrupted." in told.said
    ended = nursery.run("jobs", "run-due", "--json", workspace=lettered)
    assert ended.code == 0, ended.said
    assert rows(lettered) == ([(*turn[:1], "passed", turn[2])], begun)
    assert weights(lettered) == weights(finished)
    again = ("jobs", "run-due", "--job", "consent-withdrawal", "--again", "asked by the board")
    said = say(*again, "--detailed-exit", workspace=lettered)
    assert said.code == 6, said.out + said.err
    assert "waits for `maintain registry promote fundus-triage`" in said.out
    assert say(*again, workspace=lettered).code == 0
    assert rows(lettered)[1] == begun
    assert say("audit", "verify", "--require-anchor", workspace=lettered).code == 0


def test_what_its_gates_refused_is_held_back_until_something_changes(lettered: Path) -> None:
    path = lettered / "policies" / "consent.yaml"
    strict = path.read_text(encoding="utf-8").replace("margin: 0.15", "margin: 0.001")
    path.write_text(strict, encoding="utf-8")
    laid = datetime.now(UTC) - timedelta(days=2)
    os.utime(path, (laid.timestamp(), laid.timestamp()))
    said = say("jobs", "run-due", "--json", workspace=lettered)
    assert said.code in (1, 3), said.err
    (turn,) = said.document["turns"]
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    (job,) = say("jobs", "due", "--at", tomorrow, "--json", workspace=lettered).document["jobs"]
    assert (job["outcome"], job["run"]) == ("held-back", turn["run"])
    assert "consent-withdrawal: due, held-back" in say("jobs", "due", "--at", tomorrow, workspace=lettered).out
    path.write_text(strict.replace("0.001", "0.15"), encoding="utf-8")
    (job,) = say("jobs", "due", "--at", tomorrow, "--json", workspace=lettered).document["jobs"]
    assert (job["outcome"], job["run"]) == (None, None)


def test_nothing_due_and_nothing_to_do_are_told_apart_only_on_request(lettered: Path) -> None:
    path = lettered / "policies" / "consent.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("consent.status: withdrawn", "patient.age: {gt: 200}"), encoding="utf-8")
    laid = datetime.now(UTC) - timedelta(days=2)
    os.utime(path, (laid.timestamp(), laid.timestamp()))
    said = say("jobs", "run-due", "--detailed-exit", "--json", workspace=lettered)
    assert said.code == said.document["exit"] == 5, said.err
    assert [turn["outcome"] for turn in said.document["turns"]] == ["nothing-to-do"]
    assert say("jobs", "run-due", "--detailed-exit", workspace=lettered).code == 5
    assert say("jobs", "run-due", workspace=lettered).code == 0
    (lettered / "policies" / "broken.yml").write_text("name: [", encoding="utf-8")
    said = say("jobs", "run-due", workspace=lettered)
    assert said.code == 2
    assert "broken.yml: bad-input" in said.out
    assert say("jobs", "due", workspace=lettered).code == 2


def weights(workspace: Path) -> str:
    return codec.read(workspace / "registry/fundus-triage/v0002/version.json", ModelVersion).weights
