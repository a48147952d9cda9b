"""Time as a port: the system's clock, and a frozen one that ships for tests and replays.

Nothing else in the house asks the machine for the time, so that a clock that jumps can be tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can say what time it is, in UTC."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FrozenClock:
    """A clock that stands still until somebody moves it."""

    moment: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def move(self, *, seconds: float) -> None:
        """Move the clock, backwards too."""
        self.moment += timedelta(seconds=seconds)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, with seconds: the form that is written down everywhere."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
