"""Requests: who asked that their images be forgotten, what that asks of each image, and by when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maintain.requests.deadlines import Deadline, check_dates, deadline_of, usual_due
from maintain.requests.duties import DutyCount, Uses, count_duties, duty_of
from maintain.requests.facts import About, Doubts, Person, Request, usual_basis, worst_found

if TYPE_CHECKING:
    from maintain.requests.store import RequestStore

__all__ = [
    "About",
    "Deadline",
    "Doubts",
    "DutyCount",
    "Person",
    "Request",
    "RequestStore",
    "Uses",
    "check_dates",
    "count_duties",
    "deadline_of",
    "duty_of",
    "usual_basis",
    "usual_due",
    "worst_found",
]

#: Names behind SQLAlchemy, imported when they are asked for.
_HEAVY = {"RequestStore": "store"}


def __getattr__(name: str) -> Any:
    """Import a heavy name on its first use."""
    import importlib

    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"maintain.requests.{_HEAVY[name]}"), name)
