"""What is due and what would become of it, said beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.nights import DAY, LEARNED, NIGHT, at, lay, load, make_scheduled, record, rows
from maintain.vocabulary import JobOutcome, RunState
from maintain_pipelines.jobs import outlook


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_scheduled(tmp_path / "workspace")


def test_looking_changes_nothing_and_tells_why(root: Path) -> None:
    lay(root, "bad", cron="never")
    lay(root, "forget", age=LEARNED[0], zone="Europe/Vienna")
    lay(root, "held", age=LEARNED[1])
    lay(root, "late", cron="0 9 * * *")
    lay(root, "nobody", age=99)
    record(root, "held", RunState.REJECTED, LEARNED[1])
    with at(root, NIGHT) as (context, _):
        seen = outlook(context, load=load(), at=NIGHT)
        ahead = outlook(context, load=load(), at=NIGHT + DAY)
    assert rows(root) == []
    assert [file.file for file in seen.unreadable] == ["bad.yaml"]
    forget, held, nobody, late = seen.jobs
    assert (forget.due, forget.following) == ("2026-03-03T02:00:00Z", "2026-03-04T02:00:00Z")
    assert (forget.outcome, forget.told) == (None, "To forget: 1 image of 1 person.")
    assert (held.outcome, held.run) == (JobOutcome.HELD_BACK, "run-rejected")
    assert (nobody.outcome, nobody.told) == (JobOutcome.NOTHING_TO_DO, "No image matches.")
    assert (late.due, late.following, late.told) == (None, "2026-03-03T09:00:00Z", "Not due.")
    assert {job.job: job.missed for job in ahead.jobs} == {"forget": 1, "held": 1, "late": 0, "nobody": 1}


def test_a_policy_that_cannot_be_planned_is_foreseen(root: Path) -> None:
    path = lay(root, "job")
    path.write_text(path.read_text().replace("name: triage", "name: other"))
    with at(root, NIGHT) as (context, _):
        (job,) = outlook(context, load=load(), at=NIGHT + 300 * DAY).jobs
    assert job.outcome is JobOutcome.BAD_INPUT
