"""The suppression list: what later snapshots must not use, with a scope that follows the reason.

A person's wish holds everywhere, for the case and for every copy of its pixels. A device, a site,
an outlier or an expired retention concern the lineage whose policy said so. A wrong label bars
that version of the label only: the corrected case may be learned from again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, insert, or_, select, update

from maintain.clock import timestamp
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.records import Case, Label
from maintain.vocabulary import ConsentStatus, Reason

#: Said of a case whose patient took back consent, and of every copy of its pixels.
WITHDRAWN = "consent withdrawn"


class Listed(Protocol):
    """A case as a plan or a snapshot lists it: with the version of its label that was learned."""

    @property
    def case_id(self) -> str:
        """The case."""
        ...

    @property
    def label_version(self) -> int:
        """The version of its label."""
        ...

    @property
    def pixels(self) -> Digest:
        """Its pixels."""
        ...


class Barrable(Protocol):
    """Whatever can be barred: a whole case, or the little that a plan knows of it."""

    @property
    def case_id(self) -> str:
        """The case."""
        ...

    @property
    def pixels(self) -> Digest:
        """Its pixels."""
        ...

    @property
    def consent(self) -> ConsentStatus:
        """What the register says of its patient."""
        ...


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """What one lineage must not use. `labels` holds the last version of a case's label that is wrong."""

    cases: Mapping[str, Reason]
    pixels: Mapping[Digest, str]
    labels: Mapping[str, int]

    def why(self, case: Barrable, *, label_version: int) -> str | None:
        """Why this case, under this version of its label, must not be used; None when it may."""
        if case.consent is ConsentStatus.WITHDRAWN:
            return WITHDRAWN
        if case.case_id in self.cases:
            return f"suppressed: {self.cases[case.case_id].value}"
        if case.pixels in self.pixels:
            return f"exact copy of a suppressed image: {self.pixels[case.pixels]}"
        if label_version <= self.labels.get(case.case_id, 0):
            return f"suppressed: {Reason.WRONG_LABEL.value}"
        return None


def suppress(
    unit: UnitOfWork,
    cases: Iterable[Case | Listed],
    *,
    reason: Reason,
    policy: str,
    model: str | None,
    now: datetime,
) -> int:
    """Put cases on the list and return how many were not on it for this policy before, or for an older label only.

    For a wrong label hand over the planned cases: they know which version was learned. Of a plain
    case that was corrected since, the versions before the correction are meant. Raises `InputError`
    when a reason that concerns one lineage comes without its model.
    """
    scope = None if reason.personal else model
    if scope is None and not reason.personal:
        raise InputError(
            f"Cases suppressed for {reason.value} concern one model, and none was named.",
            remedy="Name the model whose snapshots must not use them.",
        )
    known = _known(unit, policy, scope)
    learned = _Learned.of(unit, scope) if scope and reason is Reason.WRONG_LABEL else None
    rows: dict[str, dict[str, object]] = {}
    raised: set[str] = set()
    for case in cases:
        version = None if learned is None else _wrong_version(case, learned)
        if case.case_id not in known:
            rows[case.case_id] = {
                "case_id": case.case_id,
                "pixels": case.pixels,
                "label_version": version,
                "model": scope,
                "reason": reason.value,
                "policy": policy,
                "suppressed": timestamp(now),
            }
        elif version is not None and _raise_version(unit, *known[case.case_id], version):
            raised.add(case.case_id)
    unit.execute_many(insert(tables.suppression), list(rows.values()))
    return len(rows) + len(raised)


def suppressed(unit: UnitOfWork, model: str | None, *, besides: Reason | None = None) -> SuppressionList:
    """What a lineage must not use; without a model, what nobody may use. `besides` leaves out one reason."""
    table = tables.suppression
    scope = or_(table.c.model.is_(None), table.c.model == model)
    listed = unit.rows(select(table).where(scope).order_by(table.c.id.desc()))
    rows = [row for row in listed if besides is None or row.reason != besides.value]
    labels: dict[str, int] = {}
    for row in rows:
        if row.label_version is not None:
            labels[row.case_id] = max(row.label_version, labels.get(row.case_id, 0))
    copies = dict.fromkeys(_withdrawn_pixels(unit), WITHDRAWN)
    copies.update({row.pixels: row.reason for row in rows if Reason(row.reason).personal})
    return SuppressionList(
        cases={row.case_id: Reason(row.reason) for row in rows if row.label_version is None},
        pixels=copies,
        labels=labels,
    )


# --- private ---------------------------------------------------------------------------------------


def _known(unit: UnitOfWork, policy: str, scope: str | None) -> Mapping[str, tuple[int, int | None]]:
    table = tables.suppression
    mine = (table.c.policy == policy) & table.c.model.is_not_distinct_from(scope)
    rows = unit.rows(select(table.c.case_id, table.c.id, table.c.label_version).where(mine))
    return {row.case_id: (row.id, row.label_version) for row in rows}


@dataclass(frozen=True, slots=True)
class _Learned:
    """The labels that a lineage learns, and the last version of each case's that one of its snapshots froze."""

    names: frozenset[str]
    versions: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, unit: UnitOfWork, model: str) -> _Learned:
        member, head = tables.snapshot_member, tables.snapshot
        rows = unit.rows(
            select(member.c.case_id, head.c.label_name, func.max(member.c.label_version).label("version"))
            .join(head, head.c.name == member.c.name)
            .where(head.c.model == model)
            .group_by(member.c.case_id, head.c.label_name)
        )
        return cls(
            names=frozenset(row.label_name for row in rows),
            versions={(row.case_id, row.label_name): row.version for row in rows},
        )


def _wrong_version(case: Case | Listed, learned: _Learned) -> int:
    if not isinstance(case, Case):
        return case.label_version
    labels = [label for label in case.labels if not learned.names or label.name in learned.names]
    return max((_wrong_label(case, label, learned) for label in labels), default=1)


def _wrong_label(case: Case, label: Label, learned: _Learned) -> int:
    frozen = learned.versions.get((case.case_id, label.name), 0)
    return label.version if frozen >= label.version or label.version == 1 else label.version - 1


def _raise_version(unit: UnitOfWork, row: int, known: int | None, version: int) -> bool:
    """Whether a later version was barred than the one that stood there."""
    if known is None or version <= known:
        return False
    table = tables.suppression
    unit.execute(update(table).where(table.c.id == row).values(label_version=version))
    return True


def _withdrawn_pixels(unit: UnitOfWork) -> Iterable[Digest]:
    image, series, study, patient = tables.image_case, tables.series, tables.study, tables.patient
    statement = (
        select(image.c.pixels)
        .join(series, series.c.series == image.c.series)
        .join(study, study.c.study == series.c.study)
        .join(patient, patient.c.patient == study.c.patient)
        .where(patient.c.consent == ConsentStatus.WITHDRAWN)
    )
    return [row.pixels for row in unit.rows(statement)]
