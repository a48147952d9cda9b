"""Every due moment is handled by exactly one turn: as its own, or as one of those it caught up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from maintain_pipelines.jobs.due import counts_from, due_moment
from maintain_policies import Schedule

SINCE = datetime(2026, 3, 27, 17, 0, tzinfo=UTC)
CRONS = ("0 3 * * *", "30 2 * * *", "*/20 1-4 * * *", "0 0 * * 0", "15 6 29 3 *")
ZONES = ("UTC", "Europe/Vienna", "America/New_York")
MINUTES = st.integers(-600, 8 * 24 * 60)


def test_a_file_from_the_future_counts_from_now() -> None:
    later = SINCE + timedelta(days=1)
    assert counts_from(later, SINCE) == SINCE
    assert counts_from(SINCE, later) == SINCE
    assert counts_from(SINCE + timedelta(microseconds=999), later) == SINCE


def test_the_moment_of_laying_down_is_not_due_and_the_present_one_is() -> None:
    schedule = Schedule("0 17 * * *", "UTC")
    assert due_moment(schedule, since=SINCE, handled=None, now=SINCE) is None
    day = SINCE + timedelta(days=1)
    due = due_moment(schedule, since=SINCE, handled=None, now=day)
    assert due is not None
    assert (due.moment, due.missed) == (day, 0)
    assert due_moment(schedule, since=SINCE, handled=day, now=day) is None


@given(
    cron=st.sampled_from(CRONS),
    zone=st.sampled_from(ZONES),
    calls=st.lists(MINUTES, max_size=12),
)
def test_whenever_it_is_called_each_moment_is_handled_once(cron: str, zone: str, calls: list[int]) -> None:
    """Calls in any order, as by a clock that is set back; the oracle lists the moments and strikes them off."""
    schedule, handled = Schedule(cron, zone), None
    times = [SINCE + timedelta(minutes=minutes) for minutes in calls]
    left = list(schedule.ticks(SINCE, max(times, default=SINCE)))
    for now in times:
        due = due_moment(schedule, since=SINCE, handled=handled, now=now)
        struck = [moment for moment in left if moment <= now]
        if not struck:
            assert due is None
            continue
        assert due is not None
        assert (due.moment, due.missed) == (struck[-1], len(struck) - 1)
        left = [moment for moment in left if moment > now]
        handled = due.moment
    assert left == []
