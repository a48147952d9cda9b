"""Writing and removing weights so that the register always knows where some lie.

A row is committed before its file can appear, and struck after the file is gone. Weights are personal data: a copy
that nobody remembers could never be destroyed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from maintain.hashing import Digest
from maintain.imaging import State, save_weights, weights_digest
from maintain_pipelines.context import Context
from maintain_pipelines.rundir import RunFolder
from maintain_registry import WeightFile, WeightKind, enter_weights, strike_weights, weight_files


def keep_weights(path: Path, state: State, kind: WeightKind, model: str, context: Context) -> Digest:
    """Enter a place into the register, write the weights there, and return their digest."""
    digest = weights_digest(state)
    _enter(WeightFile(place_of(path, context), kind, model, digest, digest), context)
    return save_weights(path, state)


def announce_checkpoint(path: Path, model: str, context: Context, *, folder: bool = False) -> None:
    """Enter the place of an unfinished training, which is replaced after every pass, before there is one."""
    place = place_of(path, context) + ("/" if folder else "")
    _enter(WeightFile(place, WeightKind.CHECKPOINT, model), context)


def remove_weights(context: Context, *paths: Path) -> None:
    """Remove files, or folders with all that is in them, and then what the register says of them."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if path.parent.is_dir():
            flush(path.parent)
    strike_gone(context, *paths)


def clear_checkpoints(folder: RunFolder, context: Context) -> None:
    """Remove the checkpoints of a run; where the disk refuses that, the register still knows of them."""
    folder.clear_checkpoints()
    strike_gone(context, folder.checkpoints)


def strike_gone(context: Context, *paths: Path) -> None:
    """Strike every row at or below these places where nothing lies any more."""
    tops = [place_of(path, context) for path in paths]
    with context.database.begin() as unit:
        rows = [row.place for row in weight_files(unit)]
        below = [row for row in rows if any(row.rstrip("/") == top or row.startswith(f"{top}/") for top in tops)]
        strike_weights(unit, [row for row in below if not os.path.lexists(context.workspace.root / row)])


def place_of(path: Path, context: Context) -> str:
    """How the register calls a place: from the root of the workspace."""
    return path.relative_to(context.workspace.root).as_posix()


def flush(folder: Path) -> None:
    """Bring a folder's list of files to the disk, so that what was removed stays removed after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- private ---------------------------------------------------------------------------------------


def _enter(entered: WeightFile, context: Context) -> None:
    with context.database.begin() as unit:
        enter_weights(unit, entered)
