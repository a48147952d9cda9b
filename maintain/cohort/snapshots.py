"""Snapshots: an immutable, digested list of cases that a lineage may learn from and be judged on.

Left out are cases of withdrawn consent with every copy of their pictures, suppressed ones, and
copies that another side has seen more of: no picture of the holdout was ever learned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select

from maintain import codec
from maintain.clock import timestamp
from maintain.cohort.facts import Standing
from maintain.cohort.reading import read_standings
from maintain.cohort.selection import matching_ids
from maintain.cohort.splits import most_seen, splits_of
from maintain.cohort.suppression import suppressed
from maintain.database import UnitOfWork, tables
from maintain.errors import DamagedError, InputError, UnknownNameError
from maintain.hashing import Digest
from maintain.predicate import Predicate, describe
from maintain.records import Snapshot, SnapshotMember
from maintain.vocabulary import Split

#: What a snapshot may be called: it appears in file names and command lines.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def take_snapshot(
    unit: UnitOfWork, *, name: str, model: str, label_name: str, where: Predicate | None, now: datetime
) -> Snapshot:
    """Freeze the cases of a lineage that have the label. The same name again is fine if nothing changed.

    Raises `InputError` when the name is taken, a patient has no side yet, a side is empty, or there
    is nothing to tell apart.
    """
    snapshot = Snapshot(name, model, label_name, _members(unit, model, label_name, where))
    keep_snapshot(unit, snapshot, where=None if where is None else describe(where), now=now)
    return snapshot


def keep_snapshot(unit: UnitOfWork, snapshot: Snapshot, *, where: str | None, now: datetime) -> None:
    """Write a snapshot down, whoever listed its cases. Raises `InputError` as `take_snapshot` does."""
    name = snapshot.name
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{name!r} cannot name a snapshot.", remedy="Use letters, digits, dots, - and _, at most 64.")
    _check(snapshot)
    digest = codec.digest_of(snapshot)
    head = tables.snapshot
    existing = unit.row(select(head.c.digest, head.c.rest).where(head.c.name == name))
    if existing is not None and digest not in existing:
        raise InputError(
            f"There is a snapshot {name!r} already, with other cases.",
            remedy="Choose another name; a snapshot never changes.",
        )
    if existing is None:
        _write(unit, snapshot, digest, where, now)


def load_snapshot(unit: UnitOfWork, name: str) -> Snapshot:
    """A snapshot by name, without what was erased of it since.

    Raises `UnknownNameError`, and `DamagedError` when its rows lost their digest.
    """
    table = tables.snapshot
    head = unit.row(select(table).where(table.c.name == name))
    if head is None:
        raise UnknownNameError("snapshot", name, snapshot_names(unit))
    snapshot = Snapshot(head.name, head.model, head.label_name, read_members(unit, name))
    if codec.digest_of(snapshot) != (head.rest or head.digest):
        raise DamagedError(
            f"The snapshot {name!r} is no longer the one that was taken.",
            remedy="Restore the database from a backup; nothing may be trained or judged on these rows.",
        )
    return snapshot


def read_members(unit: UnitOfWork, name: str) -> tuple[SnapshotMember, ...]:
    """The members of a snapshot as their rows are now, whatever its digest says; ordered by case."""
    member = tables.snapshot_member
    rows = unit.rows(select(member).where(member.c.name == name).order_by(member.c.case_id))
    return tuple(
        SnapshotMember(row.case_id, row.label_version, row.label, row.patient, row.pixels, Split(row.split))
        for row in rows
    )


def load_snapshot_by_digest(unit: UnitOfWork, digest: Digest) -> Snapshot:
    """A snapshot by the digest that a manifest names. Raises `InputError` when this cohort has none."""
    name = unit.scalar(select(tables.snapshot.c.name).where(tables.snapshot.c.digest == digest))
    if name is None:
        raise InputError(
            f"This workspace has no snapshot with the digest {digest[:12]}.",
            remedy="Open the workspace in which the model was trained.",
        )
    return load_snapshot(unit, name)


def named_digest(unit: UnitOfWork, name: str) -> Digest:
    """The digest by which manifests name a snapshot: that of the day it was taken, whatever was erased since."""
    digest = unit.scalar(select(tables.snapshot.c.digest).where(tables.snapshot.c.name == name))
    if digest is None:
        raise UnknownNameError("snapshot", name, snapshot_names(unit))
    return str(digest)


def snapshot_names(unit: UnitOfWork) -> tuple[str, ...]:
    """The names of all snapshots, sorted."""
    name = tables.snapshot.c.name
    return tuple(row.name for row in unit.rows(select(name).order_by(name)))


# --- private ---------------------------------------------------------------------------------------


def _members(unit: UnitOfWork, model: str, label_name: str, where: Predicate | None) -> tuple[SnapshotMember, ...]:
    cases = read_standings(unit, label_name)
    matching = None if where is None else matching_ids(unit, where)
    sides = splits_of(unit, model)
    barred = suppressed(unit, model)
    chosen = [
        (case, case.label)
        for case in cases
        if case.label is not None
        and barred.why(case, label_version=case.label_version) is None
        and (matching is None or case.case_id in matching)
    ]
    _refuse_undecided(model, [case for case, _ in chosen], sides)
    seen = most_seen((case.pixels, sides[case.patient]) for case in cases if case.patient in sides)
    return tuple(
        SnapshotMember(case.case_id, case.label_version, label, case.patient, case.pixels, side)
        for case, label in chosen
        if (side := sides[case.patient]) is seen[case.pixels]
    )


def _refuse_undecided(model: str, chosen: Sequence[Standing], sides: Mapping[str, Split]) -> None:
    undecided = {case.patient for case in chosen} - sides.keys()
    if undecided:
        raise InputError(
            f"{len(undecided)} patients have no side in the lineage of {model} yet.",
            remedy=f"Decide them with `maintain cohort split {model}`.",
        )


def _check(snapshot: Snapshot) -> None:
    if not snapshot.members:
        raise InputError(
            f"No case has the label {snapshot.label_name!r} and may be used.",
            remedy="Look at `maintain cohort status`; ingest labels, or ask for fewer conditions.",
        )
    for split in Split:
        if not snapshot.of(split):
            raise InputError(
                f"The snapshot would have no case in {split.value}.",
                remedy="Ingest more patients; a model needs all of train, validation and holdout.",
            )
    if len({member.label for member in snapshot.of(Split.TRAIN)}) < 2:
        raise InputError(
            f"All cases to learn from have the same {snapshot.label_name!r}.",
            remedy="Ingest cases with other labels, or ask for fewer conditions.",
        )


def _write(unit: UnitOfWork, snapshot: Snapshot, digest: Digest, where: str | None, now: datetime) -> None:
    head = {
        "name": snapshot.name,
        "digest": digest,
        "model": snapshot.model,
        "label_name": snapshot.label_name,
        "where": where,
        "created": timestamp(now),
    }
    unit.execute(insert(tables.snapshot), head)
    rows = [
        {
            "name": snapshot.name,
            "case_id": member.case_id,
            "label_version": member.label_version,
            "label": member.label,
            "patient": member.patient,
            "pixels": member.pixels,
            "split": member.split.value,
        }
        for member in snapshot.members
    ]
    unit.execute_many(insert(tables.snapshot_member), rows)
