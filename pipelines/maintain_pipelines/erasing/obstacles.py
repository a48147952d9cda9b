"""What stands in the way of closing a request, each thing with the command that removes it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from maintain.cohort import Marks, load_snapshot, named_digest, snapshot_names
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.hashing import short
from maintain.vocabulary import Alias, Exposed, RequestState
from maintain_pipelines import journal
from maintain_pipelines.claims import surely_gone
from maintain_pipelines.context import Context
from maintain_pipelines.erasing.learned import exposed
from maintain_pipelines.erasing.looking import bytes_naming, names
from maintain_pipelines.erasing.requested import Requested, requested
from maintain_pipelines.exposure import Exposure
from maintain_pipelines.states import is_end
from maintain_pipelines.weight_walk import files_below
from maintain_registry import retirements

#: What a workspace of a training that was adopted calls its folder; it is not named after a snapshot.
ADOPTED = "adopt-"


def ready(name: str, context: Context) -> tuple[str, ...]:
    """What must happen first before a request can be closed; nothing for one that is ready.

    Raises `UnknownNameError` where there is no such request.
    """
    with context.database.read() as unit:
        request = requested(unit, name)
        if request.state is not RequestState.ANSWERED:
            return (_not_answered(request),)
        held = tuple(_held(unit))
    return (*held, *obstacles(request.marks, context))


def obstacles(marks: Marks, context: Context) -> tuple[str, ...]:
    """The same for whoever holds every model: versions, runs, trainings and backups that still know the images."""
    return (
        *_versions(marks, context),
        *_runs(marks, context),
        *_trainings(context),
        *_backups(marks, context),
    )


def every_model(context: Context) -> tuple[str, ...]:
    """Every model that anything in the workspace is about."""
    with context.database.read() as unit:
        tables = (t.intent, t.lineage, t.run, t.claim, t.weight_file)
        told = {row.model for table in tables for row in unit.rows(select(table.c.model).distinct())}
    return tuple(sorted({*told, *context.store.models()}))


def unfinished_runs(context: Context) -> frozenset[str]:
    """The runs that have not come to an end."""
    with context.database.read() as unit:
        return frozenset(row.run for row in journal.runs(unit) if not is_end(row.state))


def snapshot_of_training(folder: Path, context: Context) -> str | None:
    """The snapshot after whose digest the folder of an unfinished training is named; None where nobody can say."""
    with context.database.read() as unit:
        known = {short(named_digest(unit, name)): name for name in snapshot_names(unit)}
    return next((name for digest, name in known.items() if f"-{digest}-" in folder.name), None)


def learned_by_training(folder: Path, marks: Marks, context: Context) -> bool:
    """Whether the snapshot of an unfinished training lists one of the images."""
    name = snapshot_of_training(folder, context)
    if name is None:
        return False
    with context.database.read() as unit:
        return any(member.case_id in marks.cases for member in load_snapshot(unit, name).members)


def training_folders(context: Context) -> tuple[Path, ...]:
    """The folders of first trainings that hold anything."""
    room = context.workspace.trainings
    found = sorted(path for path in room.iterdir() if path.is_dir()) if room.is_dir() else []
    return tuple(path for path in found if any(item.is_file() for item in path.rglob("*")))


# --- private ---------------------------------------------------------------------------------------


def _not_answered(request: Requested) -> str:
    if request.state.ended:
        return f"{request.name} is {request.state}: nothing is left to do."
    return (
        f"{request.name} is {request.state}, not answered: `maintain request show {request.name}` says what it needs."
    )


def _held(unit: UnitOfWork) -> Iterator[str]:
    now = unit.seconds()
    for row in unit.rows(select(t.claim).where(t.claim.c.owner.is_not(None)).order_by(t.claim.c.model)):
        if row.lease_until > now and not surely_gone(row.owner):
            yield f"{row.holder} works on {row.model}: wait until it is done, or see `maintain runs list`."


def _versions(marks: Marks, context: Context) -> Iterator[str]:
    found = exposed(marks, context)
    with context.database.read() as unit:
        gone = {model: retirements(unit, model) for model in {item.model for item in found}}
    for item in found:
        retired = gone[item.model].get(item.version)
        if retired is None or retired.destroyed is None or retired.unfinished:
            yield _version_line(item)


def _version_line(item: Exposure) -> str:
    said = "learned from them" if item.answer is Exposed.YES else f"cannot be shown not to know them ({item.why})"
    first = f"`maintain registry promote {item.model}` first, then " if Alias.CHAMPION.value in item.aliases else ""
    command = f"`maintain registry retire {item.model} {item.version} --reason TEXT --destroy`"
    return f"Version {item.version} of {item.model} {said}, and its weights are not destroyed: {first}{command}."


def _runs(marks: Marks, context: Context) -> Iterator[str]:
    for run in sorted(unfinished_runs(context)):
        folder = context.workspace.runs / run
        if folder.is_dir() and any(names(path, marks) for path in files_below(folder)):
            yield (
                f"The run {run} has not ended and lists them: `maintain run --resume {run}` or "
                f"`maintain runs abandon {run}`."
            )


def _trainings(context: Context) -> Iterator[str]:
    for folder in training_folders(context):
        if snapshot_of_training(folder, context) is None:
            kind = "adoption" if folder.name.startswith(ADOPTED) else "training"
            yield (
                f"Nobody can say what the unfinished {kind} in trainings/{folder.name} learned from: say its command "
                "again until it is done, or remove that folder."
            )


def _backups(marks: Marks, context: Context) -> Iterator[str]:
    database = context.workspace.database
    for path in sorted(database.parent.glob(f"{database.name}.*")):
        if path.is_file() and bytes_naming(path, marks):
            yield f"The backup {path.name} of the database holds rows of them: remove it, or move it elsewhere."
