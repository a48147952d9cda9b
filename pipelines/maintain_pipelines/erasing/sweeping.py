"""Removing from the folders of a workspace what names people, shows their images, or learned from them.

Whoever calls holds every model, so that nothing in these folders is anybody's work. Every step finds anew what is
left, so that a sweep that was killed is said again and goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain import codec
from maintain.clock import timestamp
from maintain.cohort import Marks
from maintain.errors import RefusedError
from maintain.hashing import digest_file
from maintain.records import Erased
from maintain_pipelines.context import Context
from maintain_pipelines.erasing.learned import clean_weights
from maintain_pipelines.erasing.looking import Looked, look
from maintain_pipelines.erasing.obstacles import learned_by_training, training_folders, unfinished_runs
from maintain_pipelines.references.keeping import REFERENCE_FILE
from maintain_pipelines.rundir import CHECKPOINTS, ERASED, REPORT_WITH_IMAGES
from maintain_pipelines.weight_places import place_of, remove_weights
from maintain_pipelines.weight_walk import walk


@dataclass(frozen=True, slots=True)
class Order:
    """For which request something is erased, and the entry of the ledger that ordered it.

    `resumed`: it was ordered by an earlier closing that was cut short, and may have erased something.
    """

    request: str
    entry: int
    resumed: bool = False


def sweep(order: Order, marks: Marks, context: Context) -> Mapping[str, int]:
    """Erase below the workspace whatever the marks reach, and say how much of each kind went.

    Pictures go first and lists last: as long as a list stands, it says which weights learned from whom. Raises
    `RefusedError` before anything goes where something lies behind a link to a file.
    """
    found = look(context.workspace, marks)
    _refuse_links((*found.pictures, *(item.path for item in found.naming)), context)
    return {
        "pictures": _pictures(found, marks, context),
        "trainings": _trainings(marks, context),
        "references": _references(found, context),
        "weights": _weights(marks, context),
        "lists": _lists(found, order, context),
    }


# --- private ---------------------------------------------------------------------------------------


def _refuse_links(paths: Iterable[Path], context: Context) -> None:
    linked = [place_of(path, context) for path in paths if path.is_symlink()]
    if linked:
        raise RefusedError(
            f"Something of these people lies behind a link: {', '.join(linked)}.",
            remedy="Remove the file that it leads to, then the link, and say it again.",
        )


def _pictures(found: Looked, marks: Marks, context: Context) -> int:
    """Every file that is one of the pictures, wherever it lies, and what a killed process left of one."""
    gone = sum(context.arrays.remove(digest) for digest in sorted(marks.pixels))
    copies = [path for path in found.pictures if path.exists()]
    for path in copies:
        path.unlink(missing_ok=True)
    return gone + len(copies)


def _trainings(marks: Marks, context: Context) -> int:
    """Unfinished first trainings on a snapshot that lists one of the images."""
    going = [folder for folder in training_folders(context) if learned_by_training(folder, marks, context)]
    for folder in going:
        remove_weights(context, folder)
    return len(going)


def _references(found: Looked, context: Context) -> int:
    """References that list one of the images, whatever for, and those that were begun: nobody can say whom they saw."""
    room = context.workspace.references
    folders = sorted(path for path in room.iterdir() if path.is_dir()) if room.is_dir() else []
    naming = {item.path for item in found.naming}
    begun = [folder for folder in folders if not (folder / REFERENCE_FILE).is_file()]
    going = [folder for folder in folders if folder in begun or any(folder in path.parents for path in naming)]
    for folder in going:
        remove_weights(context, folder)
    return len(going)


def _weights(marks: Marks, context: Context) -> int:
    """Candidates of ended runs, and checkpoints, that are not shown to have learned from none of the images."""
    clean, going = clean_weights(marks, context), set[Path]()
    root, runs, kept = context.workspace.root, context.workspace.runs, unfinished_runs(context)
    for item in walk(root).lying:
        path = root / item.place
        if item.weights in clean or not path.is_relative_to(runs) or path.relative_to(runs).parts[0] in kept:
            continue
        going.add(path)
    _refuse_links(sorted(going), context)
    folders = sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []
    checkpoints = [folder / CHECKPOINTS for folder in folders if folder.name not in kept]
    remove_weights(context, *sorted(going), *(path for path in checkpoints if path.is_dir()))
    return len(going)


def _lists(found: Looked, order: Order, context: Context) -> int:
    """Files of run folders that name one of the people or images; a record stands in the place of each.

    A page with pictures shows whom the lists beside it name, and need not name them itself; it goes before they do.
    """
    runs = context.workspace.runs
    naming = [item.path for item in found.naming if item.path.is_relative_to(runs)]
    folders = {runs / path.relative_to(runs).parts[0] for path in naming}
    pages = [folder / REPORT_WITH_IMAGES for folder in folders]
    going = [path for path in dict.fromkeys((*sorted(pages), *naming)) if path.is_file()]
    for path in going:
        _record(path, order, timestamp(context.clock.now()))
        path.unlink()
    return len(going)


def _record(path: Path, order: Order, moment: str) -> None:
    """The record comes before the file goes: without it the file would be taken for lost."""
    record = Erased(digest_file(path), order.request, order.entry, moment)
    codec.write(path.with_name(path.name + ERASED), record)
