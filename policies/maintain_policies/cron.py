"""The five fields of cron, read strictly: which minutes of which days an expression means.

croniter reads the grammar; what it reads in a way of its own is refused first. To it `5-5` is the whole hour, day 0
is day 1, a sixth field is seconds, and `H` is drawn by chance: nobody who writes one of these should be surprised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product

from maintain.errors import InputError

#: The words that stand for five fields, as crontab(5) has them.
WORDS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}

#: How people are told what an expression is.
SHAPE = "five cron fields (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly or @monthly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The local times that an expression means.

    `either` says that the day of the month and the day of the week are both restricted: then a day on which one of
    them holds is meant, as in crontab(5); else both must hold, of which one always does.
    """

    times: tuple[tuple[int, int], ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def falls_on(self, day: date) -> bool:
        """Whether any of its times is on this day."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % _DAYS_OF_A_WEEK in self.weekdays
        return of_month or of_week if self.either else of_month and of_week


@lru_cache(maxsize=256)
def read_cron(text: str) -> Cron:
    """What an expression means. Raises `InputError` that names the field which cannot be read."""
    parts = WORDS.get(text.strip(), text.lower()).split()
    if len(parts) != len(_FIELDS):
        raise InputError(f"{text!r} is not {SHAPE}.", remedy='Write "0 3 * * 0" for Sundays at three.')
    minutes, hours, days, months, weekdays = (field.read(part) for field, part in zip(_FIELDS, parts, strict=True))
    of_month, of_week = parts[_DAY], parts[_WEEKDAY]
    either = "*" not in (of_month, of_week)
    if either and any(part.startswith("*") for part in (of_month, of_week)):
        raise InputError(
            f"Beside each other, day of month {of_month!r} and day of week {of_week!r} mean either to some crons and "
            "both to others.",
            remedy="Write the step over a range (1-31/2, 0-6/2): then a day on which either holds is meant.",
        )
    if not either and not any(day <= _LONGEST[month] for day in days for month in months):
        raise InputError(
            f"{text!r} never comes: no month of these has such a day.", remedy="Name a day that the month has."
        )
    return Cron(
        times=tuple(product(sorted(hours), sorted(minutes))), days=days, months=months, weekdays=weekdays, either=either
    )


# --- private ---------------------------------------------------------------------------------------

_DAYS_OF_A_WEEK = 7
_SATURDAY = 6

#: Days of each month, in a leap year.
_LONGEST = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1))

#: One item of a field: every value, one, or a range; a step over the first or the last.
_ITEM = re.compile(r"(?P<all>\*)(/(?P<of_all>\d+))?|(?P<low>\w+)(-(?P<high>\w+)(/(?P<step>\d+))?)?", re.ASCII)

#: The names that stand for numbers, as croniter spells them.
_NAME = re.compile(r"[a-z]{3}")


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: its place, what people call it, and what it may hold (Sunday is 0 and 7)."""

    place: int
    name: str
    least: int
    most: int
    names: str = ""

    def read(self, text: str) -> frozenset[int]:
        """The values that the text means. Raises `InputError`."""
        for item in text.split(","):
            self._check(item, text)
        values = self._croniter(text)
        if not values:
            raise self._fault(text, "croniter does not read it")
        most = _SATURDAY if self.place == _WEEKDAY else self.most
        return frozenset(range(self.least, most + 1) if "*" in values else (int(value) for value in values))

    def _check(self, item: str, text: str) -> None:
        found = _ITEM.fullmatch(item)
        if found is None:
            raise self._fault(text, f"{item!r} is not *, a value, a range, or a step over * or a range")
        step = found["of_all"] or found["step"]
        if step and not 1 <= int(step) <= self.most:
            raise self._fault(text, f"the step {step} is not from 1 to {self.most}")
        if found["low"]:
            low = self._value(found["low"], text)
            if found["high"] and self._value(found["high"], text) <= low:
                raise self._fault(text, f"the range {found['low']}-{found['high']} does not rise")

    def _value(self, word: str, text: str) -> int:
        """The number that a word means, refused where croniter would make another of it."""
        if word.isdigit() and self.least <= int(word) <= self.most:
            return int(word)
        values = self._croniter(word) if _NAME.fullmatch(word) and self.names else []
        if not values:
            raise self._fault(text, f"{word!r} is not {self._wanted()}")
        return int(values[0])

    def _croniter(self, text: str) -> list[int | str]:
        """What croniter makes of the text in this field, nothing where it refuses; it takes 40 ms to import."""
        from croniter import CroniterError, croniter

        alone = ["*"] * len(_FIELDS)
        alone[self.place] = text
        try:
            return list(croniter.expand(" ".join(alone))[0][self.place])
        except CroniterError:
            return []

    def _wanted(self) -> str:
        return f"a number from {self.least} to {self.most}" + (f", or {self.names}" if self.names else "")

    def _fault(self, text: str, fault: str) -> InputError:
        return InputError(
            f"The {self.name} {text!r} cannot be read: {fault}.",
            remedy=f"Write *, or {self._wanted()}; several with commas, ranges LOW-HIGH, steps */2 or LOW-HIGH/2.",
        )


_FIELDS = (
    _Field(0, "minute", 0, 59),
    _Field(1, "hour", 0, 23),
    _Field(2, "day of month", 1, 31),
    _Field(3, "month", 1, 12, "jan to dec"),
    _Field(4, "day of week", 0, 7, "sun to sat"),
)
_DAY, _MONTH, _WEEKDAY = 2, 3, 4
