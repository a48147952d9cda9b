"""Whether a job is due: the last of its moments that nobody has handled, and how many went by before it.

A job that was missed is caught up once, however long the machine was off, and the answer says how often it was
missed. What was handled stays handled when the clock is set back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maintain_policies import Schedule


@dataclass(frozen=True, slots=True)
class Due:
    """A moment at which a job should have begun, and how many earlier ones nobody handled."""

    moment: datetime
    missed: int


def due_moment(schedule: Schedule, *, since: datetime, handled: datetime | None, now: datetime) -> Due | None:
    """The last moment after `since` and `handled` that is not after `now`; None where there is none."""
    after = since if handled is None else max(since, handled)
    moment, count = schedule.latest(after, now)
    return None if moment is None else Due(moment, count - 1)


def counts_from(laid: datetime, now: datetime) -> datetime:
    """From when on the moments of a job that was never seen before count: since its file lies there.

    So one that was laid down in the afternoon is due in the night although the first call comes after its moment.
    A file from the future counts from now.
    """
    return min(laid, now).replace(microsecond=0)
