"""One call after another: what is due runs once, whatever becomes of the job before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from helpers.nights import DAY, LAID, LEARNED, NIGHT, UNSEEN, at, lay, load, make_scheduled, record, rows
from maintain.database.daily_tables import turn as table
from maintain.database.tables import run as runs
from maintain.errors import DamagedError, HeldError, InputError, NotEvaluatedError, RefusedError, UnknownNameError
from maintain.vocabulary import Claim, JobOutcome, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.jobs import Again, Night, night, outlook, run_due, work
from maintain_pipelines.jobs.weigh import failed_often
from maintain_pipelines.run import RunEnd
from maintain_pipelines.select import preview
from maintain_policies import Policy
from maintain_registry import EventKind, Ledger


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_scheduled(tmp_path / "workspace")


def call(root: Path, moment: datetime = NIGHT, *, only: str | None = None, again: Again | None = None) -> Night:
    with at(root, moment) as (context, _):
        return run_due(context, load=load(), only=only, again=again)


def told(found: Night) -> list[tuple[str, str]]:
    return [(turn.job, turn.outcome.value) for turn in found.turns]


def begun(root: Path) -> list[str]:
    """The policies of the runs there are."""
    with at(root, NIGHT) as (context, _), context.database.read() as unit:
        return [row.policy_name for row in journal.runs(unit)]


def ends(monkeypatch: pytest.MonkeyPatch, *does: Callable[[], Any]) -> list[str]:
    """Runs that do this, one after the other, once they are named; says for which policy each was begun."""
    asked: list[str] = []
    ways = iter(does)

    def run_policy(policy: Policy, context: Context, *, named: Callable[[str], None]) -> RunEnd:
        asked.append(policy.name)
        named(f"run-{len(asked)}")
        end: RunEnd = next(ways)()
        return end

    monkeypatch.setattr(work, "run_policy", run_policy)
    return asked


def raises(error: BaseException) -> Callable[[], Any]:
    def way() -> None:
        raise error

    return way


# --- refusals --------------------------------------------------------------------------------------


def test_a_job_that_nobody_knows_is_refused(root: Path) -> None:
    lay(root, "known")
    with pytest.raises(UnknownNameError, match=r"no job called 'knwon'\. Did you mean 'known'"):
        call(root, only="knwon")
    with pytest.raises(UnknownNameError):
        call(root, again=Again("knwon", "why not"))
    lay(root, "broken", cron="0 25 * * *")
    with pytest.raises(InputError, match="policies that can be read") as caught:
        call(root, only="broken")
    assert "broken.yaml" in caught.value.remedy
    assert rows(root) == []


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 201, "because of patient-0007"])
def test_a_reason_that_may_not_be_written_down_is_refused(root: Path, reason: str) -> None:
    lay(root, "known")
    with pytest.raises(InputError, match="reason"):
        call(root, again=Again("known", reason))
    assert rows(root) == []


def test_a_file_that_cannot_be_read_is_told_each_time_and_stops_no_other(root: Path) -> None:
    lay(root, "good")
    lay(root, "bad", cron="never")
    assert told(call(root)) == [("bad.yaml", "bad-input"), ("good", "nothing-to-do")]
    assert told(call(root)) == [("bad.yaml", "bad-input")]
    assert told(call(root, only="good")) == []


def test_what_stops_one_job_is_its_outcome_and_the_next_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = {
        InputError("Bad.", remedy="Mend it."): "bad-input",
        RefusedError("No.", remedy=""): "refused",
        NotEvaluatedError("Cannot say.", remedy=""): "not-evaluated",
        DamagedError("Torn.", remedy=""): "failed",
        RuntimeError("secret PatientID"): "failed",
    }
    for number, _ in enumerate(family):
        lay(root, f"job-{number}")
    ends(monkeypatch, *map(raises, family))
    found = call(root)
    assert [turn.outcome.value for turn in found.turns] == list(family.values())
    assert found.turns[0].told == "Bad. Mend it."
    assert found.turns[-1].told == "An error inside the program (RuntimeError)."
    assert [turn.run for turn in found.turns] == [None] * 5
    assert told(call(root)) == []


# --- when ------------------------------------------------------------------------------------------


def test_laid_down_in_the_afternoon_it_is_due_in_the_night_although_nobody_had_called(root: Path) -> None:
    lay(root, "job")
    assert call(root, NIGHT - timedelta(minutes=6)).turns == ()
    (turn,) = call(root).turns
    assert (turn.due, turn.missed, turn.outcome) == ("2026-03-03T03:00:00Z", 0, JobOutcome.NOTHING_TO_DO)
    assert begun(root) == ["job"]
    assert call(root).turns == ()


def test_a_file_from_the_future_counts_from_now(root: Path) -> None:
    lay(root, "job", laid=LAID + 30 * DAY)
    assert call(root).turns == ()
    assert told(call(root, NIGHT + DAY)) == [("job", "nothing-to-do")]


def test_what_was_missed_is_caught_up_once_and_told(root: Path) -> None:
    lay(root, "job")
    (turn,) = call(root, NIGHT + 4 * DAY).turns
    assert (turn.due, turn.missed) == ("2026-03-07T03:00:00Z", 4)
    assert call(root, NIGHT + 4 * DAY).turns == ()
    assert call(root, NIGHT + 2 * DAY).turns == ()
    (turn,) = call(root, NIGHT + 5 * DAY).turns
    assert (turn.due, turn.missed) == ("2026-03-08T03:00:00Z", 0)
    assert begun(root) == ["job"]


def test_jobs_come_by_their_moment_and_name(root: Path) -> None:
    lay(root, "b")
    lay(root, "a", cron="30 3 * * *")
    lay(root, "c", cron="30 2 * * *")
    lay(root, "a-too")
    found = call(root, NIGHT + timedelta(hours=1))
    assert [turn.job for turn in found.turns] == ["c", "a-too", "b", "a"]
    assert found.following == "2026-03-04T02:30:00Z"


def test_nothing_to_do_begins_no_run_the_second_time(root: Path) -> None:
    lay(root, "nobody", age=99)
    lay(root, "job")
    lay(root, "person", reason="data-subject")
    assert begun(root) == []
    first, second = call(root), call(root, NIGHT + DAY)
    assert told(first) == told(second)
    assert [turn.run is None for turn in first.turns] == [False, True, False]
    assert [turn.told for turn in first.turns][1] == "No image matches."
    assert [turn.run for turn in second.turns] == [None, None, None]
    assert "barred already" in second.turns[0].told
    assert begun(root) == ["job", "person"]


# --- held back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.UNDECIDED])
def test_what_failed_its_gates_is_held_back_until_a_person_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, state: RunState
) -> None:
    lay(root, "job", age=LEARNED[0])
    record(root, "job", state, LEARNED[0])
    asked = ends(monkeypatch, raises(NotEvaluatedError("Cannot say.", remedy="")))
    for moment in (NIGHT, NIGHT + DAY):
        (turn,) = call(root, moment).turns
        assert (turn.outcome, turn.run) == (JobOutcome.HELD_BACK, f"run-{state}")
        assert "--job job --again REASON" in turn.told
    assert asked == []
    later = NIGHT + DAY + timedelta(hours=1)
    (turn,) = call(root, later, again=Again("job", "the margin was discussed")).turns
    assert (turn.outcome, turn.due, asked) == (JobOutcome.NOT_EVALUATED, None, ["job"])
    with at(root, NIGHT) as (context, _), context.database.read() as unit:
        entries = Ledger.entries(context.ledger, unit)
    (entry,) = [entry for entry in entries if entry.event is EventKind.JOB_AGAIN]
    assert entry.subject == "triage"
    body = {"job": "job", "reason": "the margin was discussed", "run_before": f"run-{state}"}
    assert dict(entry.body).items() >= {**body, "due": "2026-03-04T04:05:00Z"}.items()
    (turn,) = call(root, NIGHT + 2 * DAY).turns
    assert turn.outcome is JobOutcome.HELD_BACK


def test_another_policy_another_champion_or_a_better_end_holds_nothing_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(root, "job", age=LEARNED[0])
    record(root, "job", RunState.REJECTED, LEARNED[0])
    record(root, "job", RunState.FAILED, LEARNED[0], NIGHT + timedelta(minutes=1))
    asked = ends(monkeypatch, *[raises(RefusedError("No.", remedy=""))] * 4)
    assert told(call(root)) == [("job", "held-back")]
    with at(root, NIGHT) as (context, _):
        for number, (column, value) in enumerate((("policy", "x"), ("champion", "x"), ("roles", None))):
            with context.database.begin() as unit:
                kept = unit.row(select(runs.c[column]).where(runs.c.run == "run-rejected"))
                unit.execute(update(runs).where(runs.c.run == "run-rejected").values({column: value}))
            night_of = NIGHT + (number + 1) * DAY
            assert told(call(root, night_of)) == [("job", "refused")], column
            with context.database.begin() as unit:
                assert kept is not None
                unit.execute(update(runs).where(runs.c.run == "run-rejected").values({column: kept[0]}))
    assert asked == ["job"] * 3
    record(root, "job", RunState.REGISTERED, LEARNED[0], NIGHT + timedelta(minutes=2))
    assert told(call(root, NIGHT + 9 * DAY)) == [("job", "refused")]


def test_a_policy_that_failed_often_on_one_champion_waits_for_fresh_patients_unless_digests_prove_it(
    root: Path,
) -> None:
    lay(root, "job", age=LEARNED[0])
    with at(root, NIGHT) as (context, _):
        proven = preview(load()(context.workspace.policies / "job.yaml"), context).selection
        judged = replace(proven, plan=replace(proven.plan, claim=Claim.EXAMPLES))
        for number, state in enumerate((RunState.REJECTED, RunState.UNDECIDED, RunState.FAILED, RunState.REJECTED)):
            assert failed_often(judged, context) == ()
            record(root, "job", state, LEARNED[0], NIGHT + timedelta(minutes=number))
            with context.database.begin() as unit:
                mine = {"run": f"run-{number}", "roles": f"other images {number}"}
                unit.execute(update(runs).where(runs.c.run == f"run-{state}").values(mine))
        assert [row.run for row in failed_often(judged, context)] == ["run-0", "run-1", "run-3"]
        assert failed_often(proven, context) == ()


def test_said_again_beside_a_due_moment_it_runs_once_and_catches_up(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(root, "job", age=LEARNED[0])
    lay(root, "other", age=LEARNED[0])
    asked = ends(monkeypatch, *[raises(RefusedError("No.", remedy=""))] * 2)
    (turn,) = call(root, NIGHT + DAY, again=Again("job", "now")).turns
    assert (turn.due, turn.missed) == (None, 2)
    (turn,) = call(root, NIGHT + DAY, again=Again("job", "and now")).turns
    assert (turn.due, turn.missed) == (None, 0)
    assert asked == ["job", "job"]
    assert call(root, NIGHT + DAY, only="job").turns == ()


# --- waiting and going on --------------------------------------------------------------------------


def test_a_job_that_must_wait_stays_due(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(root, "job", age=LEARNED[0])
    held = HeldError("triage", holder="somebody", owner="x:1:y", since="", until="")
    asked = ends(monkeypatch, raises(held), raises(RefusedError("No.", remedy="")))
    assert told(call(root)) == [("job", "waiting")]
    assert rows(root) == [("job", "2026-03-03T03:00:00Z", 0, None)]
    (turn,) = call(root, NIGHT + DAY).turns
    assert (turn.outcome, turn.due, turn.missed) == (JobOutcome.REFUSED, "2026-03-04T03:00:00Z", 1)
    assert rows(root) == [("job", "2026-03-04T03:00:00Z", 1, "refused")]
    assert asked == ["job", "job"]


def test_a_run_of_a_person_that_has_not_ended_is_waited_for(root: Path) -> None:
    lay(root, "job", age=LEARNED[0])
    record(root, "job", RunState.UNLEARNED, LEARNED[0])
    (turn,) = call(root).turns
    assert (turn.outcome, turn.run) == (JobOutcome.WAITING, "run-unlearned")
    assert "`maintain run --resume run-unlearned`" in turn.told
    assert rows(root) == [("job", "2026-03-03T03:00:00Z", 0, None)]


def test_told_to_stop_it_leaves_the_turn_open_and_the_next_call_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(root, "a", age=LEARNED[0])
    lay(root, "b")
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = True
        raise KeyboardInterrupt

    asked = ends(monkeypatch, stop, raises(RefusedError("No.", remedy="")))
    with at(root, NIGHT) as (context, _):
        found = run_due(replace(context, stop=lambda: stopping), load=load())
    assert found.interrupted
    assert told(found) == [("a", "waiting")]
    second = call(root, only="a")
    assert (told(second), second.interrupted) == ([("a", "refused")], False)
    assert asked == ["a", "a"]


def test_a_job_in_the_hands_of_another_process_is_passed_over(root: Path) -> None:
    lay(root, "a", age=99)
    lay(root, "b", age=98)
    call(root)
    with at(root, NIGHT) as (context, _), context.database.begin() as unit:
        until = unit.seconds() + 60
        held = {"ended": None, "outcome": None, "owner": "elsewhere:1:x", "lease_until": until}
        unit.execute(update(table).where(table.c.job == "a").values(held))
    found = call(root, NIGHT + DAY)
    assert (told(found), found.elsewhere) == ([("b", "nothing-to-do")], ("a",))
    with at(root, NIGHT) as (context, _):
        seen = outlook(context, load=load(), at=NIGHT + DAY)
        assert [(job.job, job.elsewhere) for job in seen.jobs] == [("a", True), ("b", False)]
        with context.database.begin() as unit:
            unit.execute(update(table).values(lease_until=1.0))
    third = call(root, NIGHT + DAY)
    assert [(turn.job, turn.due, turn.missed) for turn in third.turns] == [("a", "2026-03-04T03:00:00Z", 1)]


def test_a_turn_that_another_process_ended_meanwhile_is_its_to_tell(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(root, "job", age=LEARNED[0])

    def other_ends_it() -> None:
        with at(root, NIGHT) as (context, _), context.database.begin() as unit:
            unit.execute(update(table).values(ended="2026-03-03T03:05:00Z", outcome="passed", owner="elsewhere:1:x"))
        raise HeldError("triage", holder="somebody", owner="elsewhere:1:x", since="", until="")

    ends(monkeypatch, other_ends_it)
    found = call(root)
    assert (found.turns, found.elsewhere) == ((), ("job",))
    assert rows(root) == [("job", "2026-03-03T03:00:00Z", 0, "passed")]


def test_a_turn_taken_over_shows_how_its_run_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(root, "job", age=LEARNED[0])
    held = HeldError("triage", holder="somebody", owner="x:1:y", since="", until="")
    asked = ends(monkeypatch, raises(held), raises(RefusedError("No.", remedy="")))
    call(root)
    record(root, "job", RunState.FAILED, LEARNED[0])
    with at(root, NIGHT) as (context, _), context.database.begin() as unit:
        unit.execute(update(runs).values(run="run-1", error="The disk is full."))
    (turn,) = call(root).turns
    assert (turn.outcome, turn.run, turn.told) == (JobOutcome.FAILED, "run-1", "The run is failed. The disk is full.")
    assert asked == ["job"]


# --- who hears of it -------------------------------------------------------------------------------


def test_signs_are_given_at_the_beginning_after_each_turn_and_at_the_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(root, "job", age=UNSEEN[0])
    heard: list[Night] = []
    monkeypatch.setattr(night, "beat", lambda found, context, webhook=None: heard.append(found))
    found = call(root)
    assert [(sign.ended, len(sign.turns)) for sign in heard] == [(None, 0), (None, 1), ("2026-03-03T03:05:00Z", 1)]
    assert heard[-1] == found
