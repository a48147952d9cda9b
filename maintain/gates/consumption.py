"""What a training consumed, seen through the plan's roles: set arithmetic that two gates share.

The loader's log is the only witness here. The role that a row of the log gives itself is compared
with the plan's, because a forgotten case would never call itself one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from maintain.hashing import Digest
from maintain.records import CaseRef, LoaderLog, LoaderRow, PlannedCase, RoleTable
from maintain.vocabulary import Reason, Role

#: Roles under which a loader hands out cases to choose a checkpoint, not to change weights.
SELECTING = frozenset({Role.VALIDATION, Role.NEVER_SEEN_VALIDATION})

#: Roles under which a loader hands out cases to be known afterwards.
KEEPING = frozenset({Role.LEARN, Role.RETAIN})

#: Roles that only the verify stage may open.
HELD_OUT = frozenset({Role.HOLDOUT, Role.NEVER_SEEN})

Key: TypeAlias = tuple[str, int | None]
Picture: TypeAlias = tuple[Digest, str | None]


def handed_out(log: LoaderLog) -> tuple[LoaderRow, ...]:
    """The rows of cases that went through the loader. A negative count is no excuse."""
    return tuple(row for row in log.rows if row.times_seen != 0)


def ref_of(row: LoaderRow) -> CaseRef:
    """The case of a row, as a manifest lists it."""
    return CaseRef(row.case_id, row.label_version)


def refs(rows: Iterable[LoaderRow]) -> frozenset[CaseRef]:
    """The distinct cases of rows."""
    return frozenset(ref_of(row) for row in rows)


def trained_on(log: LoaderLog) -> frozenset[CaseRef]:
    """Every case that changed weights: whatever was handed out, except to choose a checkpoint."""
    return refs(row for row in handed_out(log) if row.role not in SELECTING)


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that must stay out, and the pictures they show.

    A case stays out under every label version, unless a wrong label is the reason: then only the
    old pair of case and label does, and its corrected twin may be learned.
    """

    by_label: bool
    keys: frozenset[Key]
    pictures: frozenset[Picture]

    def holds(self, ref: CaseRef) -> bool:
        """Whether this case itself must stay out."""
        return (ref.case_id, ref.label_version if self.by_label else None) in self.keys

    def shows(self, row: PlannedCase) -> bool:
        """Whether this case shows a picture that must stay out."""
        return (row.pixels, row.label if self.by_label else None) in self.pictures


def group_of(roles: RoleTable, reason: Reason, *kinds: Role) -> Group:
    """The cases of these roles as a group that must stay out."""
    by_label = reason is Reason.WRONG_LABEL
    rows = roles.of(*kinds)
    return Group(
        by_label=by_label,
        keys=frozenset((row.case_id, row.label_version if by_label else None) for row in rows),
        pictures=frozenset((row.pixels, row.label if by_label else None) for row in rows),
    )


def members(cases: Iterable[CaseRef], group: Group) -> int:
    """How many of these cases must stay out."""
    return sum(group.holds(case) for case in cases)


def copies(cases: Iterable[CaseRef], group: Group, roles: RoleTable) -> int:
    """How many of these cases are not of the group but show exactly one of its pictures."""
    known = {row.ref: row for row in roles.rows}
    others = (case for case in cases if not group.holds(case))
    return sum(case in known and group.shows(known[case]) for case in others)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 forget case`, `3 forget cases`."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
