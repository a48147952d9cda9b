"""The register of weights against what really lies below the workspace, found by a walk that looks into every file.

The check changes nothing; `mend_register` brings the rows in line with the files, never the other way round.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

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
    WeightPlaces,
    doomed_weights,
    enter_weights,
    known_models,
    open_store,
    same_weights,
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
    seen = _look(workspace)
    with reading(workspace) as unit:
        rows, doomed = weight_files(unit), doomed_weights(unit)
    yield from _of_doomed(seen, doomed)
    strange = _unregistered(seen, rows)
    if strange:
        listed = ", ".join(item.place for item in strange[:LISTED])
        yield note("weights", f"{len(strange)} files with weights are not in the register: {listed}.", MEND)
    gone = _gone(rows, seen, workspace)
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
    workspace = context.workspace
    seen = _look(workspace)
    with context.database.read() as unit:
        strange = _unregistered(seen, weight_files(unit))
        new = tuple(_row(unit, item, workspace) for item in strange)
        gone = _gone(weight_files(unit), seen, workspace)
    with context.database.begin() as unit:
        for entered in new:
            enter_weights(unit, entered)
    struck: list[str] = []
    busy: list[str] = []
    for model in sorted({row.model for row in gone}):
        mine = tuple(row for row in gone if row.model == model)
        try:
            with hold(context.database, model, HOLDER, lease_seconds=workspace.settings.runs.lease_seconds):
                asked_again = _look(workspace) if any(_is_outside(row.place) for row in mine) else seen
                still = [row.place for row in _gone(mine, asked_again, workspace)]
                with context.database.begin() as unit:
                    strike_weights(unit, still)
                struck += still
        except HeldError:
            busy += [row.place for row in mine]
    return Mended(tuple(row.place for row in new), tuple(struck), tuple(busy))


# --- private ---------------------------------------------------------------------------------------

#: Places that a finding lists; more would hide the first.
LISTED = 5


def _look(workspace: Workspace) -> Walk:
    """Every file of the workspace, and what the registry keeps outside it."""
    seen, store = walk(workspace.root), open_store(workspace)
    outside = store.outside() if isinstance(store, WeightPlaces) else {}
    kept = (Lying(place, digest, digest) for place, digest in outside.items())
    return replace(seen, lying=(*seen.lying, *kept))


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


def _gone(rows: tuple[WeightFile, ...], seen: Walk, workspace: Workspace) -> tuple[WeightFile, ...]:
    kept = {item.place for item in seen.lying}
    return tuple(row for row in rows if row.place not in kept and not _may_lie(row.place, workspace))


def _may_lie(place: str, workspace: Workspace) -> bool:
    """Whether something lies at a place now, or nobody here can ask: it is on a server that is not the registry."""
    if _is_outside(place):
        return not workspace.settings.registry.uri
    return os.path.lexists(workspace.root / place)


def _is_outside(place: str) -> bool:
    """Whether a place is an address of a server, not below the workspace."""
    return ":/" in place


def _row(unit: UnitOfWork, item: Lying, workspace: Workspace) -> WeightFile:
    """The row of a file that nobody entered, as far as its place tells what it is."""
    room, *rest = PurePosixPath(item.place).parts
    if _is_outside(item.place):
        model = next((name for name, _, _ in same_weights(unit, item.weights)), NOBODY)
        return WeightFile(item.place, WeightKind.VERSION, model, item.weights, item.file)
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
        return next((part for part in reversed(below[:2]) if part in models), NOBODY)  # MLflow has a folder above
    if kind is WeightKind.TRAINING:
        mine = [model for model in models if below[0].startswith(f"{model}-")]
        return max(mine, key=len, default=NOBODY)
    return NOBODY
