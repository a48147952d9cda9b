"""What a check finds: how it is, in one sentence, and the repair where one is needed."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.vocabulary import Health


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. A problem always names its repair."""

    check: str
    health: Health
    said: str
    repair: str | None = None


def well(check: str, said: str) -> Finding:
    """As it should be."""
    return Finding(check, Health.OK, said)


def note(check: str, said: str, repair: str) -> Finding:
    """Worth knowing, and what to do about it."""
    return Finding(check, Health.NOTE, said, repair)


def problem(check: str, said: str, repair: str) -> Finding:
    """Something that must be repaired, and how."""
    return Finding(check, Health.PROBLEM, said, repair)
