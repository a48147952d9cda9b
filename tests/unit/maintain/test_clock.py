"""Time is a port."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from maintain.clock import FrozenClock, SystemClock, timestamp


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock()
    before = clock.now()
    assert clock.now() == before
    clock.move(seconds=-5)
    assert (before - clock.now()).total_seconds() == 5


def test_the_system_clock_is_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_timestamp_is_utc_with_seconds() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-03-01T10:00:00Z"
