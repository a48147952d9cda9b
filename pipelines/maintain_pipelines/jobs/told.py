"""What one call of scheduled work did, as one value: what is printed, left as a heartbeat, and sent to a webhook.

Names of jobs and runs, dates, counts and words of closed lists; never a person, a case or a message that quotes one.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.vocabulary import JobOutcome


@dataclass(frozen=True, slots=True)
class TurnTold:
    """One turn of a job. `missed` earlier due moments were caught up by it; `run` is None where none was begun.

    `due` is a timestamp in UTC; None where a person asked for it out of turn.
    """

    job: str
    due: str | None
    missed: int
    outcome: JobOutcome
    run: str | None
    told: str


@dataclass(frozen=True, slots=True)
class RequestsTold:
    """How the requests stand: how many are unfinished, and of these overdue or close to their date; closed just now."""

    unfinished: int
    overdue: tuple[str, ...]
    due_soon: tuple[str, ...]
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """One call: from when to when, its turns in order, the jobs of another process, and the requests.

    `ended` is None while it is under way; `following` is the next due moment of any job. `interrupted`: it was told
    to stop before every due job was handled, and the next call goes on.
    """

    began: str
    ended: str | None
    turns: tuple[TurnTold, ...]
    elsewhere: tuple[str, ...]
    requests: RequestsTold
    following: str | None
    interrupted: bool = False
