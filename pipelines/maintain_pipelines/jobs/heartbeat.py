"""A file that says when scheduled work last ran and how it went: a monitor looks at its age and at its words.

A night that cannot leave it goes on: a heartbeat that is missing or old is what a monitor rings for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from maintain import __version__, codec
from maintain.hashing import canonical_json
from maintain_pipelines.context import Context
from maintain_pipelines.jobs.told import Night

#: Schema and version of the document, whether it lies in a file or is sent.
SCHEMA = ("maintain.night", 1)


def document(night: Night) -> dict[str, object]:
    """What a monitor is told: counts of outcomes first, then every turn; `ended` is null while it is under way."""
    name, version = SCHEMA
    outcomes = Counter(turn.outcome.value for turn in night.turns)
    return {
        "schema": name,
        "version": version,
        "program": __version__,
        "began": night.began,
        "ended": night.ended,
        "following": night.following,
        "outcomes": dict(sorted(outcomes.items())),
        "turns": [
            {
                "job": turn.job,
                "due": turn.due,
                "missed": turn.missed,
                "outcome": turn.outcome.value,
                "run": turn.run,
                "told": turn.told,
            }
            for turn in night.turns
        ],
        "elsewhere": list(night.elsewhere),
        "requests": {
            "unfinished": night.requests.unfinished,
            "overdue": list(night.requests.overdue),
            "due_soon": list(night.requests.due_soon),
            "closed": list(night.requests.closed),
        },
    }


def beat(night: Night, context: Context, *, webhook: str | None = None) -> None:
    """Leave the file, whole or not at all; `webhook` says how the sending went, None where nobody is told."""
    said: Mapping[str, object] = {**document(night), "webhook": webhook}
    try:
        codec.write_bytes(context.workspace.heartbeat, f"{canonical_json(said)}\n".encode())
    except OSError as error:
        context.talk.say(f"The heartbeat file could not be written ({error.strerror or type(error).__name__}).")
