"""Where each patient stands in a model lineage: decided once, never changed.

Patients who share an exact picture (copies sent under two pseudonyms) are one group and stand on
one side, or the model would be tested on what it was trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from maintain.clock import timestamp
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.vocabulary import Split

#: From the side that has seen most to the one that must stay clean. A newcomer whose copies stand on
#: several sides joins the first of these: on any other one it would carry learned pictures there.
MOST_SEEN_FIRST = (Split.TRAIN, Split.VALIDATION, Split.HOLDOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitShares:
    """How new patients are shared out, as whole weights (70, 10, 20)."""

    train: int
    validation: int
    holdout: int

    def __post_init__(self) -> None:
        if any(type(share) is not int or share < 1 for share in (self.train, self.validation, self.holdout)):
            raise InputError(
                "Each of train, validation and holdout needs a share of at least 1.",
                remedy="Give three whole numbers, for example 70, 10 and 20.",
            )

    def draw(self, *, seed: int, group: str) -> Split:
        """The side of a group: uniform by SHA-256 of seed and group, whoever else is there."""
        number = int.from_bytes(hashlib.sha256(f"{seed}:{group}".encode()).digest())
        place = number * (self.train + self.validation + self.holdout) >> 256
        if place < self.train:
            return Split.TRAIN
        return Split.VALIDATION if place < self.train + self.validation else Split.HOLDOUT


@dataclass(frozen=True, slots=True)
class SplitCount:
    """How many patients stand on one side, and how many of them were new."""

    split: Split
    patients: int
    new: int


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """How many patients stand where. `straddling`: groups decided apart before their copies came."""

    rows: tuple[SplitCount, ...]
    straddling: int

    @property
    def new(self) -> int:
        """How many patients were decided by this call."""
        return sum(row.new for row in self.rows)


def decide_splits(unit: UnitOfWork, model: str, shares: SplitShares, *, seed: int, now: datetime) -> SplitCounts:
    """Give every patient without a side one. Raises `InputError` for shares or a seed not the lineage's own."""
    _settle_lineage(unit, model, shares, seed, now)
    decided = dict(splits_of(unit, model))
    groups = _groups(unit)
    new: dict[str, Split] = {}
    for group in groups:
        sides = {decided[patient] for patient in group if patient in decided}
        side = _first(sides) if sides else shares.draw(seed=seed, group=min(group))
        new.update({patient: side for patient in group if patient not in decided})
    rows = [{"model": model, "patient": patient, "split": side.value} for patient, side in new.items()]
    unit.execute_many(insert(tables.lineage_split), rows)
    decided.update(new)
    total, fresh = Counter(decided.values()), Counter(new.values())
    return SplitCounts(
        rows=tuple(SplitCount(split, total[split], fresh[split]) for split in Split),
        straddling=sum(1 for group in groups if len({decided[patient] for patient in group}) > 1),
    )


def declared_sides(unit: UnitOfWork, roles: Mapping[str, Iterable[Split]]) -> Mapping[str, Split]:
    """The side of each patient of whom roles are declared: the one that has seen most.

    Patients who share an exact picture stand together. Whoever declares nothing gets no side.
    """
    sides: dict[str, Split] = {}
    for group in _groups(unit):
        declared = {side for patient in group for side in roles.get(patient, ())}
        sides.update({patient: _first(declared) for patient in group if patient in roles})
    return sides


def declare_splits(unit: UnitOfWork, model: str, sides: Mapping[str, Split], *, now: datetime) -> SplitCounts:
    """Write down the sides of an adopted lineage, for good: nobody else gets one, so nobody else is held out.

    Raises `InputError` for a lineage that was split before.
    """
    if unit.row(select(tables.lineage.c.model).where(tables.lineage.c.model == model)) is not None:
        raise InputError(
            f"The patients of {model} were given their sides already.",
            remedy="Adopt the model under another name, whose sides its own members decide.",
        )
    unit.execute(insert(tables.lineage), {"model": model, **_DECLARED, "decided": timestamp(now)})
    rows = [{"model": model, "patient": patient, "split": side.value} for patient, side in sides.items()]
    unit.execute_many(insert(tables.lineage_split), rows)
    counted = Counter(sides.values())
    return SplitCounts(tuple(SplitCount(split, counted[split], counted[split]) for split in Split), straddling=0)


def splits_of(unit: UnitOfWork, model: str) -> Mapping[str, Split]:
    """Where each patient of a lineage stands; empty when nothing was decided."""
    table = tables.lineage_split
    rows = unit.rows(select(table.c.patient, table.c.split).where(table.c.model == model))
    return {row.patient: Split(row.split) for row in rows}


def lineages(unit: UnitOfWork) -> tuple[str, ...]:
    """The models whose patients were given a side, sorted."""
    model = tables.lineage.c.model
    return tuple(row.model for row in unit.rows(select(model).order_by(model)))


def most_seen(placed: Iterable[tuple[str, Split]]) -> Mapping[str, Split]:
    """For each picture the side, of all its copies' sides, that has seen most."""
    sides: dict[str, set[Split]] = defaultdict(set)
    for pixels, side in placed:
        sides[pixels].add(side)
    return {pixels: _first(found) for pixels, found in sides.items()}


# --- private ---------------------------------------------------------------------------------------

#: What stands for shares and seed of a lineage whose sides were declared: no draw has them.
_DECLARED = {"seed": 0, "train": 0, "validation": 0, "holdout": 0}


def _first(sides: set[Split]) -> Split:
    return min(sides, key=MOST_SEEN_FIRST.index)


def _settle_lineage(unit: UnitOfWork, model: str, shares: SplitShares, seed: int, now: datetime) -> None:
    wanted = {
        "seed": seed,
        "train": shares.train,
        "validation": shares.validation,
        "holdout": shares.holdout,
    }
    table = tables.lineage
    row = unit.row(select(table).where(table.c.model == model))
    if row is None:
        unit.execute(insert(table), {"model": model, **wanted, "decided": timestamp(now)})
        return
    settled = {name: row._mapping[name] for name in wanted}
    if settled == _DECLARED:
        raise InputError(
            f"Who stands where in {model} was declared when it was adopted; nobody else is given a side.",
            remedy="A patient of whom nothing was declared may have been learned, so is never held out.",
        )
    if settled != wanted:
        said = ", ".join(f"{name} {value}" for name, value in settled.items())
        raise InputError(
            f"The split of {model} was settled with {said}; it cannot change.",
            remedy="Use these values, or begin another lineage under another name.",
        )


def _groups(unit: UnitOfWork) -> tuple[tuple[str, ...], ...]:
    """Patients connected by exact copies: the components of "has a picture of the same digest", sorted."""
    image, series, study = tables.image_case, tables.series, tables.study
    statement = (
        select(study.c.patient, image.c.pixels)
        .distinct()
        .select_from(image)
        .join(series, series.c.series == image.c.series)
        .join(study, study.c.study == series.c.study)
    )
    root: dict[str, str] = {}
    first: dict[str, str] = {}
    for row in unit.rows(statement.order_by(study.c.patient)):
        root.setdefault(row.patient, row.patient)
        other = first.setdefault(row.pixels, row.patient)
        one, two = _top(root, row.patient), _top(root, other)
        root[max(one, two)] = min(one, two)
    members: dict[str, list[str]] = defaultdict(list)
    for patient in sorted(root):
        members[_top(root, patient)].append(patient)
    return tuple(tuple(group) for _, group in sorted(members.items()))


def _top(root: dict[str, str], patient: str) -> str:
    while root[patient] != patient:
        root[patient] = root[root[patient]]
        patient = root[patient]
    return patient
