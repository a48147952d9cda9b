"""What a policy asks of retention, read from its request once.

A request has every option resolved when the plan is made, so one that lacks an option was not made by planning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from maintain.errors import InputError
from maintain.gates.base import number
from maintain.records import GateRequest
from maintain.vocabulary import Role

T = TypeVar("T", str, bool)

#: A cap of this share allows everything, so it is none.
NO_CAP = 1.0

#: What becomes of groups that are too small to be judged.
FAIL, POOL, REPORT = "fail", "pool", "report"


@dataclass(frozen=True, slots=True)
class Terms:
    """Margins, the level of all slots together, declared groups and what becomes of small ones, and caps."""

    margin: float
    alpha: float
    lineage_margin: float
    by: tuple[str, ...]
    by_margin: float
    small: str
    include_forget_group: bool
    caps: Mapping[str, float]

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whose cases are judged."""
        return (Role.HOLDOUT, Role.NEVER_SEEN) if self.include_forget_group else (Role.HOLDOUT,)


def terms_of(request: GateRequest) -> Terms:
    """The terms of a request. Raises `InputError` where an option is missing or of another kind."""
    return Terms(
        margin=number(request, "margin"),
        alpha=number(request, "alpha"),
        lineage_margin=number(request, "lineage_margin"),
        by=tuple(by.strip() for by in _value(request, "by", str).split(",") if by.strip()),
        by_margin=number(request, "by_margin"),
        small=_value(request, "small", str),
        include_forget_group=_value(request, "include_forget_group", bool),
        caps={"churn": number(request, "max_churn"), "new misses": number(request, "max_new_misses")},
    )


# --- private ---------------------------------------------------------------------------------------


def _value(request: GateRequest, option: str, kind: type[T]) -> T:
    for setting in request.options:
        if setting.name == option and isinstance(setting.value, kind):
            return setting.value
    raise InputError(
        f"The plan asks for the gate {request.name!r} without a value for {option!r}.",
        remedy="Make the plan again: planning resolves every option of every gate.",
    )
