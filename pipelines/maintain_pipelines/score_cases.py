"""Which cases may be scored, and what each is held against.

Nobody's picture is looked at who took back consent or is suppressed everywhere, nor an exact copy of it.
"""

from __future__ import annotations

import sys

from maintain.cohort import Standing, label_names, read_standings, suppressed
from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError, UnknownNameError
from maintain.hashing import canonical_json
from maintain_pipelines.context import Context


def usable_cases(unit: UnitOfWork, label: str | None = None) -> tuple[tuple[Standing, ...], int]:
    """The cases whose pixels may be looked at, with their answers to `label`, and how many others there are."""
    barred = suppressed(unit, None)
    standings = read_standings(unit, label or "")
    usable = tuple(case for case in standings if barred.why(case, label_version=_ANY_VERSION) is None)
    return usable, len(standings) - len(usable)


def cases_to_score(context: Context, label: str | None = None) -> tuple[tuple[Standing, ...], int]:
    """The usable cases, and how many others there are.

    Raises `NothingToDoError` where none is usable, and `UnknownNameError` for a label that no usable case has.
    """
    with context.database.read() as unit:
        usable, passed_over = usable_cases(unit, label)
        known = label_names(unit)
    if not usable:
        raise NothingToDoError(
            "There is no image that may be scored.",
            remedy="Read images in with `maintain cohort ingest FOLDER`, then say this again.",
        )
    if label is not None and not any(case.label is not None for case in usable):
        raise UnknownNameError("label", label, known)
    return usable, passed_over


def stratum(case: Standing) -> str:
    """What a case is held against: its device and, where one was asked for, its answer."""
    return canonical_json([case.device, case.label])


# --- private ---------------------------------------------------------------------------------------

#: A version above that of every label: a wrong label is no reason not to look at the picture.
_ANY_VERSION = sys.maxsize
