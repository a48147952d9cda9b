"""By when a request must be answered, counted in whole days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from maintain.errors import InputError

#: Nobody may take longer to answer: three months by GDPR art. 12(3), and far more than that elsewhere.
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How a request stands against its date on one day. `days` are left until it, negative after it."""

    days: int
    overdue: bool
    soon: bool

    def spoken(self) -> str:
        """For a person."""
        if self.overdue:
            return f"OVERDUE since {-self.days} day{'' if self.days == -1 else 's'}"
        return "due today" if self.days == 0 else f"due in {self.days} day{'' if self.days == 1 else 's'}"


def deadline_of(due: date, today: date, *, warn_days: int) -> Deadline:
    """Overdue from the day after the date on; soon within so many days before it."""
    days = (due - today).days
    return Deadline(days, days < 0, 0 <= days <= warn_days)


def usual_due(received: date, *, answer_days: int) -> date:
    """The date of a request for which nobody named one (GDPR art. 12(3): a month)."""
    return received + timedelta(days=answer_days)


def check_dates(received: date, due: date, today: date) -> None:
    """Raise `InputError` for a letter from the future, and for a date before it came or that no law would allow."""
    if received > today:
        raise InputError("A request cannot be received in the future.", remedy="Mend --received; it may be left out.")
    if due > received + LONGEST:
        raise InputError(
            f"A request cannot be due more than {LONGEST.days} days after it was received.",
            remedy="Mend --due or --received; either may be left out.",
        )
    if due < received:
        raise InputError("A request cannot be due before it was received.", remedy="Mend --due; it may be left out.")
