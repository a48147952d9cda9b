"""The register of weights against what really lies below the workspace, found by a walk that looks into every file.

The check changes nothing; `mend_register` brings the rows in line with the files, never the other way round.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maintain.clock import Clock
from maintain.database import UnitOfWork
from maintain.errors import HeldError
from maintain.hashing import Digest, short
from maintain.settings import Workspace
from maintain_pipelines import journal
from maintain_pipelines.claims import hold
from maintain_pipelines.context import Context
from maintain_pipelines.doctor.findings import Finding, note, problem, well
from maintain_pipelines.doctor.opening import reading
from maintain_pipelines.weight_walk import Lying, Walk, walk
from maintain_registry import (
    WeightFile,
    WeightKind,
    doomed_weights,
    enter_weights,
    known_models,
    strike_weights,
    weight_files,
)

#: What mends every disagreement.
MEND = "Say `maintain doctor weights`: it brings the register in line with the files."

#: What a second process is told that works on the model.
HOLDER = "doctor weights"

#: The model of a file whose place tells nobody's.
NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Mended:
    """Places that were entered and struck, and those left because somebody works on their model."""

    entered: tuple[str, ...]
    struck: tuple[str, ...]
    busy: tuple[str, ...]


def check_weights(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Files that no row names, rows whose file is gone, and weights that were destroyed and lie here again."""
    seen = walk(workspace.root)
    with reading(workspace) as unit:
        rows, doomed = weight_files(unit), doomed_weights(unit)
    yield from _of_doomed(seen, doomed)
    strange = _unregistered(seen, rows)
    if strange:
        listed = ", ".join(item.place for item in strange[:LISTED])
        yield note("weights", f"{len(strange)} files with weights are not in the register: {listed}.", MEND)
    gone = _gone(rows, workspace.root)
    if gone:
        said = "lie nowhere any more (left by a kill), or are about to be written by work under way"
        yield note("weights", f"{len(gone)} places of the register {said}.", MEND)
    if seen.closed:
        yield note(
            "weights",
            f"{len(seen.closed)} files are archives, links that lead nowhere, or cannot be read: {seen.closed[0]}.",
            "Keep no archives in the workspace: a destruction cannot look into them.",
        )
    if not strange and not gone:
        yield well("weights", f"{len(seen.lying)} files hold weights, each with its row in the register.")


def mend_register(context: Context) -> Mended:
    """Enter what lies there and strike what does not, model by model, where nobody works on it."""
    root = context.workspace.root
    with context.database.read() as unit:
        strange = _unregistered(walk(root), weight_files(unit))
        new = tuple(_row(unit, item, context.workspace) for item in strange)
        gone = _gone(weight_files(unit), root)
    with context.database.begin() as unit:
        for entered in new:
            enter_weights(unit, entered)
    struck: list[str] = []
    busy: list[str] = []
    for model in sorted({row.model for row in gone}):
        places = [row.place for row in gone if row.model == model]
        try:
            with hold(context.database, model, HOLDER, lease_seconds=context.workspace.settings.runs.lease_seconds):
                still = [place for place in places if not os.path.lexists(root / place)]
                with context.database.begin() as unit:
                    strike_weights(unit, still)
                struck += still
        except HeldError:
            busy += places
    return Mended(tuple(row.place for row in new), tuple(struck), tuple(busy))


# --- private ---------------------------------------------------------------------------------------

#: Places that a finding lists; more would hide the first.
LISTED = 5


def _of_doomed(seen: Walk, doomed: Mapping[Digest, int]) -> Iterator[Finding]:
    for item in seen.lying:
        if item.weights in doomed:
            yield problem(
                "weights",
                f"{item.place} holds weights whose destruction was ordered (ledger entry {doomed[item.weights]}).",
                "Say `maintain registry retire MODEL VERSION --reason TEXT --destroy` again for their version "
                f"(weights {short(item.weights)}), and find out where the file came from.",
            )


def _unregistered(seen: Walk, rows: tuple[WeightFile, ...]) -> tuple[Lying, ...]:
    """What lies where no row names it, or names other bytes."""
    known = {(row.place, row.weights, row.file) for row in rows}
    moving = tuple(row.place for row in rows if row.weights is None)
    folders = tuple(place for place in moving if place.endswith("/"))
    return tuple(
        item
        for item in seen.lying
        if (item.place, item.weights, item.file) not in known
        and item.place not in moving
        and not item.place.startswith(folders)
    )


def _gone(rows: tuple[WeightFile, ...], root: Path) -> tuple[WeightFile, ...]:
    return tuple(row for row in rows if not os.path.lexists(root / row.place))


def _row(unit: UnitOfWork, item: Lying, workspace: Workspace) -> WeightFile:
    """The row of a file that nobody entered, as far as its place tells what it is."""
    room, *rest = PurePosixPath(item.place).parts
    kinds = {
        workspace.registry.name: WeightKind.VERSION,
        workspace.runs.name: WeightKind.CANDIDATE,
        workspace.trainings.name: WeightKind.TRAINING,
        workspace.references.name: WeightKind.REFERENCE,
    }
    kind = kinds.get(room, WeightKind.FOUND) if item.weights == item.file else WeightKind.CHECKPOINT
    return WeightFile(item.place, kind, _model(unit, kinds.get(room), rest), item.weights, item.file)


def _model(unit: UnitOfWork, kind: WeightKind | None, below: list[str]) -> str:
    if kind is WeightKind.CANDIDATE:
        return next((row.model for row in journal.runs(unit) if row.run == below[0]), NOBODY)
    models = known_models(unit)
    if kind is WeightKind.VERSION:
        return next((model for model in models if model == below[0]), NOBODY)
    if kind is WeightKind.TRAINING:
        mine = [model for model in models if below[0].startswith(f"{model}-")]
        return max(mine, key=len, default=NOBODY)
    return NOBODY
