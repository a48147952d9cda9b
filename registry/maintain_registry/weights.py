"""The register of weights: every file that holds some, by the digest of the weights, of the file, and by place.

Whoever writes weights enters the row first and strikes it when the file is gone, so a killed process leaves a row
without a file, never a file without a row. A row says where to look; what lies there is said by its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert, or_, select

from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.hashing import Digest


class WeightKind(StrEnum):
    """What a file with weights is to its place."""

    VERSION = "version"
    """The weights of a version, in the registry."""
    CANDIDATE = "candidate"
    """What a run made."""
    TRAINING = "training"
    """What a first training made, until it is installed."""
    REFERENCE = "reference"
    """A yardstick."""
    CHECKPOINT = "checkpoint"
    """An unfinished training: a file, or a folder of them, replaced after every pass."""
    FOUND = "found"
    """Nobody entered it; a walk through the workspace found it."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One place below the workspace.

    Digests are None where a training replaces what lies there; then a place that ends with a slash is a folder.
    """

    place: str
    kind: WeightKind
    model: str
    weights: Digest | None = None
    file: Digest | None = None


def enter_weights(unit: UnitOfWork, entered: WeightFile) -> None:
    """Write a row down, in the place of the one that stood there."""
    strike_weights(unit, (entered.place,))
    values = {"place": entered.place, "kind": entered.kind.value, "model": entered.model}
    unit.execute(insert(t.weight_file), {**values, "weights": entered.weights, "file": entered.file})


def strike_weights(unit: UnitOfWork, places: Iterable[str]) -> None:
    """Remove the rows of places where nothing lies any more; unknown places are fine."""
    for place in places:
        unit.execute(delete(t.weight_file).where(t.weight_file.c.place == place))


def weight_files(unit: UnitOfWork, weights: Digest | None = None) -> tuple[WeightFile, ...]:
    """Every row, or those of one digest, by place."""
    query = select(t.weight_file).order_by(t.weight_file.c.place)
    if weights is not None:
        query = query.where(or_(t.weight_file.c.weights == weights, t.weight_file.c.file == weights))
    return tuple(
        WeightFile(row.place, WeightKind(row.kind), row.model, row.weights, row.file) for row in unit.rows(query)
    )
