"""Due moments beside a walk over every minute of UTC, with the local clock read and the fields matched by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from maintain_policies import Schedule

ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut", "UTC")
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MINUTE = timedelta(minutes=1)


# --- the slow, obvious version ----------------------------------------------------------------------


def number(word: str) -> int:
    return NAMES.index(word) + 1 if word in NAMES else DAYS.index(word) if word in DAYS else int(word)


def matches(field: str, place: int, value: int) -> bool:
    """Whether one value of a clock fits a field; Sunday is tried as 0 and as 7."""
    for item in field.split(","):
        body, _, step = item.partition("/")
        low, dash, high = body.partition("-")
        least = BOUNDS[place][0] if body == "*" else number(low)
        most = (6 if place == 4 else BOUNDS[place][1]) if body == "*" else number(high) if dash else least
        for shown in {value, 7} if place == 4 and value == 0 else {value}:
            if least <= shown <= most and (shown - least) % int(step or 1) == 0:
                return True
    return False


def fits(cron: str, local: datetime) -> bool:
    minute, hour, day, month, weekday = cron.split()
    if not (matches(minute, 0, local.minute) and matches(hour, 1, local.hour) and matches(month, 3, local.month)):
        return False
    of_month, of_week = matches(day, 2, local.day), matches(weekday, 4, local.isoweekday() % 7)
    return of_month or of_week if day != "*" and weekday != "*" else of_month and of_week


def walk(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every minute of UTC: due where the clock shows a time for the first time that fits, or has just skipped one."""
    seen = clock(zone, after - MINUTE)
    moment = after
    while moment <= until:
        shown = clock(zone, moment)
        skipped = [seen + MINUTE * step for step in range(1, max(0, int((shown - seen) / MINUTE)))]
        first_time = not moment.astimezone(ZoneInfo(zone)).fold
        if moment > after and ((first_time and fits(cron, shown)) or any(fits(cron, local) for local in skipped)):
            yield moment
        seen, moment = shown, moment + MINUTE


def clock(zone: str, moment: datetime) -> datetime:
    """What the clocks of a zone show."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The hours from 2024 to 2028 in which a zone sets its clocks; of UTC one that means nothing."""
    hours = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4 * 8766)]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in hours]
    found = [hours[place + 1] for place, (one, other) in enumerate(pairwise(offsets)) if one != other]
    return tuple(found) or (hours[0],)


# --- what is drawn ----------------------------------------------------------------------------------


@st.composite
def items(draw: st.DrawFn, place: int) -> str:
    least, most = BOUNDS[place]
    kind = draw(st.sampled_from(("*/", "value", "range", "range/")))
    step = draw(st.integers(1, min(most, 20)))
    if kind == "*/":
        return f"*/{step}"
    low = draw(st.integers(least, most))
    if kind == "value" or low == most:
        names = NAMES[low - 1] if place == 3 else DAYS[low % 7] if place == 4 else str(low)
        return draw(st.sampled_from((str(low), names)))
    high = draw(st.integers(low + 1, most))
    return f"{low}-{high}" + (f"/{step}" if kind == "range/" else "")


def fields(place: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just("*"), st.lists(items(place), min_size=1, max_size=3).map(",".join))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Those that are read and come: no step over * beside another day field, no day that only a longer month has."""
    minute, hour, day, month, weekday = (draw(fields(place)) for place in range(5))
    month = draw(st.sampled_from(("*", "*", "*", month)))
    if weekday != "*" and day != "*" and "*" in day + weekday:
        day = "*"
    if day != "*" and weekday == "*" and not any(matches(day, 2, one) for one in range(1, 29)):
        day = f"{day},1"
    return f"{minute} {hour} {day} {month} {weekday}"


@st.composite
def spans(draw: st.DrawFn, zone: str) -> tuple[datetime, datetime]:
    """Up to five days, near a change of the clocks."""
    begin = draw(st.sampled_from(changes(zone))) + timedelta(minutes=draw(st.integers(-3000, 600)))
    return begin, begin + timedelta(minutes=draw(st.integers(0, 5 * 1440)))


# --- comparisons ------------------------------------------------------------------------------------


@given(data=st.data(), cron=expressions(), zone=st.sampled_from(ZONES))
@settings(max_examples=60, deadline=None)
def test_due_moments_are_those_of_the_walk(data: st.DataObject, cron: str, zone: str) -> None:
    after, until = data.draw(spans(zone))
    compare(cron, zone, after, until)


@pytest.mark.parametrize(
    "cron", ["* * * * *", "*/7 0-4 * * *", "30 * * * *", "59 23 * * *", "0 0 * * *", "15 1,2,3 * * *"]
)
@pytest.mark.parametrize("zone", ZONES)
def test_the_days_on_which_clocks_are_set(cron: str, zone: str) -> None:
    for change in changes(zone)[:2]:
        compare(cron, zone, change - timedelta(hours=30), change + timedelta(hours=30))


def compare(cron: str, zone: str, after: datetime, until: datetime) -> None:
    schedule, expected = Schedule(cron, zone), tuple(walk(cron, zone, after, until))
    assert schedule.ticks(after, until) == expected
    assert schedule.latest(after, until) == (expected[-1] if expected else None, len(expected))
    if expected:
        assert schedule.following(after) == expected[0]


@given(cron=expressions(), start=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)))
@example(cron="0 0 29 2 *", start=datetime(2096, 3, 1))
@settings(max_examples=60, deadline=None)
def test_without_a_change_of_clocks_croniter_says_the_same(cron: str, start: datetime) -> None:
    """Where a day field is the whole field croniter takes it for *, so that either becomes both: those are left out."""
    day, weekday = cron.split()[2], cron.split()[4]
    assume(day == "*" or weekday == "*")
    own = Schedule(cron, "UTC").following(start.replace(tzinfo=UTC))
    assert own.replace(tzinfo=None) == croniter(cron, start).get_next(datetime)


def test_croniter_itself_answers_otherwise_where_clocks_are_set() -> None:
    """Why the zone is applied here: asked in the zone, it has a time twice, or comes at another moment than ours."""
    zone, cron = ZoneInfo("Europe/Vienna"), "*/30 * * * *"
    after = datetime(2026, 10, 24, 22, tzinfo=UTC)
    theirs = croniter(cron, after.astimezone(zone))
    found = [theirs.get_next(datetime).astimezone(UTC) for _ in range(12)]
    assert tuple(found) != Schedule(cron, "Europe/Vienna").ticks(after, after + timedelta(days=2))[:12]
