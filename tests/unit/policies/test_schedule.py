"""Due moments where clocks are set, by hand; the oracle walks minute by minute over drawn ones."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from maintain.errors import InputError
from maintain_policies import Schedule
from maintain_policies.schedule import MOST_TICKS

VIENNA, LORD_HOWE = "Europe/Vienna", "Australia/Lord_Howe"
YEARS = timedelta(days=3653)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(schedule: Schedule, after: str, until: str) -> list[str]:
    return [f"{moment:%m-%dT%H:%M}" for moment in schedule.ticks(at(after), at(until))]


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "nearest"),
    [
        ("Vienna", "Europe/Vienna"),
        ("Europe/Viena", "Europe/Vienna"),
        ("europe/vienna", "Europe/Vienna"),
        ("posix/Europe/Vienna", "Europe/Vienna"),
        ("right/UTC", None),
        ("Europe", None),
        ("localtime", None),
        ("../UTC", None),
        ("/etc/localtime", None),
        ("", None),
        ("UTC\0", None),
    ],
)
def test_a_zone_that_is_none_is_refused_with_the_nearest(zone: str, nearest: str | None) -> None:
    with pytest.raises(InputError, match="no time zone called") as caught:
        Schedule("0 3 * * 0", zone)
    assert nearest is None or f"Did you mean {nearest!r}?" in caught.value.message
    assert "Europe/Vienna" in caught.value.remedy


def test_an_expression_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="The hour '24'"):
        Schedule("0 24 * * 0", VIENNA)


def test_more_than_can_be_listed_is_refused_and_the_latest_is_not() -> None:
    each, after = Schedule("* * * * *", "UTC"), at("2026-01-01T00:00")
    assert len(each.ticks(after, after + timedelta(minutes=MOST_TICKS))) == MOST_TICKS
    with pytest.raises(InputError, match="more than 100000 times"):
        each.ticks(after, after + timedelta(minutes=MOST_TICKS + 1))
    assert each.latest(after, after + timedelta(minutes=MOST_TICKS + 1))[1] == MOST_TICKS + 1


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError, match="offset-naive"):
        Schedule("0 3 * * *", VIENNA).following(datetime(2026, 1, 1))


# --- clocks ----------------------------------------------------------------------------------------


def test_the_span_has_its_end_and_not_its_beginning() -> None:
    nightly = Schedule("0 3 * * *", "UTC")
    assert told(nightly, "2026-01-01T03:00", "2026-01-03T03:00") == ["01-02T03:00", "01-03T03:00"]
    assert told(nightly, "2026-01-01T03:00", "2026-01-01T03:00") == []
    assert told(nightly, "2026-01-02T03:00", "2026-01-01T03:00") == []
    assert nightly.latest(at("2026-01-02T03:00"), at("2026-01-01T03:00")) == (None, 0)


def test_a_time_that_is_skipped_comes_at_the_first_moment_after_the_gap() -> None:
    """Vienna, 29 March 2026: two o'clock is three o'clock, at 01:00 UTC."""
    assert told(Schedule("30 2 * * *", VIENNA), "2026-03-28T00:00", "2026-03-30T12:00") == [
        "03-28T01:30",
        "03-29T01:00",
        "03-30T00:30",
    ]


def test_times_that_are_skipped_together_come_once() -> None:
    night = told(Schedule("*/15 1-3 * * *", VIENNA), "2026-03-28T23:59", "2026-03-29T12:00")
    assert night == [f"03-29T0{hour}:{minute}" for hour in (0, 1) for minute in ("00", "15", "30", "45")]


def test_a_time_that_is_there_twice_comes_the_first_time() -> None:
    """Vienna, 25 October 2026: three o'clock is two o'clock again, at 01:00 UTC."""
    half_past_two = Schedule("30 2 * * *", VIENNA)
    assert told(half_past_two, "2026-10-24T12:00", "2026-10-26T12:00") == ["10-25T00:30", "10-26T01:30"]
    assert half_past_two.following(at("2026-10-25T00:30")) == at("2026-10-26T01:30")
    assert len(Schedule("0 * * * *", VIENNA).ticks(at("2026-10-24T21:59"), at("2026-10-25T22:59"))) == 24


def test_half_an_hour_is_set_at_lord_howe() -> None:
    """4 October 2026: 02:00 is 02:30, at 15:30 UTC the day before; 5 April 2026: 02:00 is 01:30 again, at 15:00."""
    skipped = Schedule("0,15,30 2 * * *", LORD_HOWE)
    assert told(skipped, "2026-10-03T12:00", "2026-10-04T12:00") == ["10-03T15:30"]
    twice = Schedule("45 1 * * *", LORD_HOWE)
    assert told(twice, "2026-04-04T12:00", "2026-04-05T12:00") == ["04-04T14:45"]


def test_a_midnight_that_is_skipped_is_not_lost_between_two_days() -> None:
    """Beirut, 29 March 2026: midnight is one o'clock, at 22:00 UTC the day before."""
    assert told(Schedule("0 0,1 * * *", "Asia/Beirut"), "2026-03-28T12:00", "2026-03-29T12:00") == ["03-28T22:00"]


def test_a_day_that_is_skipped_comes_with_the_next() -> None:
    """Apia had no 30 December 2011; the 31st began at 10:00 UTC on the 30th."""
    daily = Schedule("0 0 * * *", "Pacific/Apia")
    assert told(daily, "2011-12-28T12:00", "2011-12-31T12:00") == ["12-29T10:00", "12-30T10:00", "12-31T10:00"]
    assert daily.latest(at("2011-12-28T12:00"), at("2011-12-31T12:00")) == (at("2011-12-31T10:00"), 3)


def test_every_night_of_ten_years_comes_once() -> None:
    nights = Schedule("30 2 * * *", VIENNA).ticks(at("2026-01-01T00:00"), at("2026-01-01T00:00") + YEARS)
    assert len(nights) == len({moment.date() for moment in nights}) == YEARS.days


# --- long spans ------------------------------------------------------------------------------------


def test_the_latest_of_ten_years_of_minutes_is_found_at_once() -> None:
    """One hour each year has no local times of its own, and one has local times that count once."""
    each, after = Schedule("* * * * *", VIENNA), at("2026-01-01T00:00")
    begin = perf_counter()
    last, count = each.latest(after, after + YEARS)
    assert perf_counter() - begin < 5
    assert last == after + YEARS
    assert count == (YEARS.days * 24 - 10) * 60


def test_the_leap_day_is_found_across_a_century_without_one() -> None:
    assert Schedule("0 0 29 2 *", "UTC").following(at("2096-02-29T00:00")) == at("2104-02-29T00:00")
    assert Schedule("0 0 29 2 *", "UTC").latest(at("2097-01-01T00:00"), at("2103-01-01T00:00")) == (None, 0)


# --- words -----------------------------------------------------------------------------------------


def test_it_is_spoken_on_one_line() -> None:
    assert Schedule("0  3 * * 0", VIENNA).spoken() == "0 3 * * 0 Europe/Vienna"


def test_the_language_opens_without_croniter() -> None:
    """It and dateutil take 40 ms, which only a policy with a schedule should pay."""
    code = "import sys, maintain_policies; print(sorted({'croniter', 'dateutil'} & set(sys.modules)))"
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == "[]"
