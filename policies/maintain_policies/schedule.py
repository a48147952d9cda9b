"""When a policy is due: a cron expression over the local times of a zone, answered in UTC.

croniter's own answers for a zone go by the wall clock of the last answer. Here the rule is one sentence: a local time
that does not exist comes at the first moment after the gap, one that exists twice comes the first time, and what
falls on the same moment comes once. The zones are those of zoneinfo: the machine's, else the package tzdata.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from maintain.errors import InputError, nearest_name
from maintain_policies.cron import read_cron

#: Moments that are listed at once: two months of every minute. Who only needs the last asks for `latest`.
MOST_TICKS = 100_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression and the zone whose local times it means. Raises `InputError` where one cannot be read."""

    cron: str
    zone: str

    def __post_init__(self) -> None:
        read_cron(self.cron)
        read_zone(self.zone)

    def ticks(self, after: datetime, until: datetime) -> tuple[datetime, ...]:
        """Every due moment with after < moment <= until, in UTC, ascending. Raises `InputError` beyond `MOST_TICKS`."""
        found: list[datetime] = []
        for moment in self._moments(after, until):
            if len(found) == MOST_TICKS:
                raise InputError(
                    f"{self.spoken()!r} comes more than {MOST_TICKS} times in this span.",
                    remedy="Ask for a shorter span, or for the latest and how many there were.",
                )
            found.append(moment)
        return tuple(found)

    def latest(self, after: datetime, until: datetime) -> tuple[datetime | None, int]:
        """The last due moment with after < moment <= until, and how many there were; quick over years too."""
        zone, times = ZoneInfo(self.zone), read_cron(self.cron).times
        last, count = None, 0
        for day in self._days(after, until):
            first, final = (_moment(day, time(*times[end]), zone) for end in (0, -1))
            if _steady(day, zone) and (after if last is None else last) < first and final <= until:
                last, count = final, count + len(times)
            else:
                for moment in self._within(day, after, until, since=last):
                    last, count = moment, count + 1
        return last, count

    def following(self, moment: datetime) -> datetime:
        """The first due moment after this one, in UTC."""
        return next(self._moments(moment, moment + _LONGEST_WAIT))

    def spoken(self) -> str:
        """The expression and the zone on one line: `0 3 * * 0 Europe/Vienna`."""
        return f"{' '.join(self.cron.split())} {self.zone}"

    def _moments(self, after: datetime, until: datetime) -> Iterator[datetime]:
        last = None
        for day in self._days(after, until):
            for moment in self._within(day, after, until, since=last):
                yield moment
                last = moment

    def _within(self, day: date, after: datetime, until: datetime, *, since: datetime | None) -> Iterator[datetime]:
        """The due moments of one local day that lie in the span, each once; `since` is the one before."""
        zone = ZoneInfo(self.zone)
        for hour, minute in read_cron(self.cron).times:
            moment = _moment(day, time(hour, minute), zone)
            if after < moment <= until and moment != since:
                yield moment
                since = moment

    def _days(self, after: datetime, until: datetime) -> Iterator[date]:
        """The local days that are meant; one more at each end, where clocks set at midnight may reach across."""
        zone, cron, margin = ZoneInfo(self.zone), read_cron(self.cron), timedelta(days=1)
        first, last = (moment.astimezone(zone).date() for moment in (after, until))
        span = ((last + margin) - (first - margin)).days
        for days in range(span + 1):
            day = first - margin + timedelta(days=days)
            if cron.falls_on(day):
                yield day


def read_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises `InputError` that names the nearest."""
    try:
        if _ZONE.fullmatch(name) and name not in _NOBODYS_ZONES:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = available_timezones() - _NOBODYS_ZONES
    of_city = sorted(key for key in known if key.rpartition("/")[2].lower() == name.lower())
    nearest = of_city[0] if of_city else nearest_name(name, known)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    raise InputError(f"There is no time zone called {name!r}.{meant}", remedy="Name one such as Europe/Vienna or UTC.")


# --- private ---------------------------------------------------------------------------------------

#: Nine years: 29 February comes after eight at the latest (2096 to 2104).
_LONGEST_WAIT = timedelta(days=9 * 366)

#: Names in Area/Place; what zoneinfo would read besides them (posix/, right/) counts leap seconds or repeats others.
_ZONE = re.compile(r"(?!posix/|right/)[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")

#: Files among the zones that mean another thing on another machine, or nothing.
_NOBODYS_ZONES = frozenset({"Factory", "localtime", "posixrules"})


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time in UTC: the first of two, and the end of the gap where there is none."""
    local = datetime.combine(day, at)
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)  # by the offset after the gap: ahead of it
    offset = before.astimezone(zone).utcoffset()
    seconds = range(int((moment - before).total_seconds()) + 1)
    gone = bisect_left(
        seconds, True, key=lambda passed: (before + timedelta(seconds=passed)).astimezone(zone).utcoffset() != offset
    )
    return before + timedelta(seconds=gone)


def _steady(day: date, zone: ZoneInfo) -> bool:
    """Whether nobody sets the clock on this day: no zone does so twice within two days, so its ends tell."""
    start, end = (datetime.combine(one, time(), tzinfo=zone) for one in (day, day + timedelta(days=1)))
    return start.utcoffset() == end.replace(fold=1).utcoffset()
