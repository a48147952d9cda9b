"""The weights of a retired version are deleted wherever they lie below the workspace, and that is proven by digest.

Order, deletions, proof, tombstone. The order is signed before the first file goes, so that a killed destruction is
known and gone on with; the tombstone is signed after a walk through the whole workspace found nothing any more, and
names what such a walk cannot reach.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError, RefusedError, WaitingError
from maintain.hashing import Digest
from maintain_pipelines import journal
from maintain_pipelines.claims import Claim, check, hold
from maintain_pipelines.context import Context
from maintain_pipelines.promote import require_model
from maintain_pipelines.requests import settle_after
from maintain_pipelines.retire import Heirs, heirs_of, retire
from maintain_pipelines.states import is_end
from maintain_pipelines.sweep import Swept, reference_of, sweep
from maintain_pipelines.weight_places import remove_weights
from maintain_pipelines.wording import check_reason
from maintain_registry import (
    Entry,
    Event,
    EventKind,
    WeightPlaces,
    alone,
    entry_of_version,
    retirements,
    same_weights,
    strike_weights,
    weight_files,
)

#: What a second process is told that works on the model.
HOLDER = "registry retire --destroy"

#: What no walk through a workspace can reach; every tombstone says so.
OUT_OF_REACH = (
    "backups of the workspace and of its disk, snapshots of file systems and virtual machines included",
    "copies that were exported, downloaded or deployed, and processes that hold the weights in memory",
    "bytes of deleted files that a disk keeps until it writes over them",
    "backups of the database (maintain.db.*.bak): they hold no weights but name them by digest",
)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What a tombstone says.

    `versions`: all that had these very weights; `places`: where they lay; `searched`: how many files the proof looked
    at; `closed`: how many of them it could not open; `heirs`: who still carries what the weights learned.
    """

    model: str
    version: int
    weights: Digest
    versions: tuple[str, ...]
    places: tuple[str, ...]
    searched: int
    closed: int
    out_of_reach: tuple[str, ...]
    heirs: Heirs
    entry: int


def destroy(model: str, number: int, context: Context, *, reason: str) -> Destroyed:
    """Retire a version unless it is, delete its weights everywhere, prove it, and write the tombstone.

    Raises:
        NothingToDoError: They were destroyed, and a walk just now found none of them.
        RefusedError: It serves, a living version has the same weights, or some could not be deleted.
        WaitingError: A run that began from them is unfinished, or another process works on the model.
    """
    require_model(model, context)
    check_reason(reason, context)
    _refuse_elsewhere(model, number, context)
    with context.database.read() as unit:
        weights = str(entry_of_version(unit, context.ledger, model, number).body["weights"])
        _refuse_use(unit, weights, model, number)
    seconds = context.workspace.settings.runs.lease_seconds
    with hold(context.database, model, HOLDER, lease_seconds=seconds) as claim:
        with contextlib.suppress(NothingToDoError):
            retire(model, number, context, reason=reason)
        task = _Task(model, number, weights, reason, heirs_of(model, number, context))
        order = _order(task, claim, context)
        _delete(task, order, context)
        gone = _bury(task, order, claim, context)
    settle_after(context)
    return gone


# --- private ---------------------------------------------------------------------------------------

#: A file of a tombstone: where it lay, and the digest of its bytes.
_File = tuple[str, Digest]


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be destroyed, why, and who began from it."""

    model: str
    number: int
    weights: Digest
    reason: str
    heirs: Heirs


@dataclass(frozen=True, slots=True)
class _Order:
    """A signed order: every version with these weights, the files that were found, and how they are told of."""

    versions: tuple[tuple[str, int], ...]
    swept: Swept
    told: tuple[_File, ...]
    links: int


def _refuse_elsewhere(model: str, number: int, context: Context) -> None:
    """Raise where the registry keeps its files in places that it does not name: nothing could be proven there."""
    if context.store.weights_place(model, number) is None and not isinstance(context.store, WeightPlaces):
        raise RefusedError(
            f"The registry keeps the weights of version {number} of {model} where this version cannot prove them gone.",
            remedy="Retire it without --destroy: nobody loads it then, and its files stay. Nothing was deleted.",
        )


def _refuse_use(unit: UnitOfWork, weights: Digest, model: str, number: int) -> None:
    """Raise where somebody else has these very weights and may still use them."""
    same = same_weights(unit, weights)
    living = [
        f"{name} {version}"
        for name, version, recorded in same
        if (name, version) != (model, number) and not (recorded and version in retirements(unit, name))
    ]
    if living:
        raise RefusedError(
            f"Not retired, and with exactly the same weights: {', '.join(living)}.",
            remedy="Retire these first, or give up the run that registers them: a file is not both kept and deleted.",
        )
    begun = [row.run for row in journal.runs(unit) if row.champion == weights and not is_end(row.state)]
    if begun:
        raise WaitingError(
            f"The run {begun[0]} began from these weights and is not finished.",
            remedy=f"Say `maintain run --resume {begun[0]}` or `maintain runs abandon {begun[0]}` first.",
        )


def _order(task: _Task, claim: Claim, context: Context) -> _Order:
    """Find every file and sign the order, unless one stands that was not carried out."""
    swept = sweep(task.model, task.weights, context)
    elsewhere = _elsewhere(task, swept, context)
    with alone(context.database), context.ledger.begin(context.database) as unit:
        check(unit, claim)
        _refuse_use(unit, task.weights, task.model, task.number)
        versions = tuple((name, version) for name, version, _ in same_weights(unit, task.weights))
        stand = {(name, version): retirements(unit, name)[version] for name, version in versions}
        mine = stand[task.model, task.number]
        if mine.destroyed is not None and not mine.unfinished and not (swept.found or elsewhere):
            raise NothingToDoError(
                f"The weights of version {task.number} of {task.model} were destroyed (ledger entry {mine.destroyed}); "
                f"{swept.searched} files were looked at just now, and none holds them.",
                remedy="Nothing was changed.",
            )
        told = _told(unit, swept, dict.fromkeys(elsewhere, task.weights))
        links = swept.links
        for (name, version), standing in stand.items():
            if standing.unfinished and standing.ordered is not None:
                before = context.ledger.entry(unit, standing.ordered)
                told |= _files_of(before)
                links = max(links, int(str(before.body["links"])))
                continue
            body = {"version": version, "weights": task.weights, "reason": task.reason, "links": links}
            event = Event(EventKind.DESTRUCTION_ORDERED, name, {**body, "files": _listed(told)})
            context.ledger.append(unit, event)
    return _Order(versions, swept, tuple(sorted(told)), links)


def _delete(task: _Task, order: _Order, context: Context) -> None:
    """Every file, the registry's own last: unfinished copies are recognised by it."""
    root = context.workspace.root
    kept = {context.store.weights_place(name, version) for name, version in order.versions}
    for place in order.swept.found:
        if place not in kept:
            remove_weights(context, root / place)
    for place in {*order.swept.found, *(place for place, _ in order.told)}:
        folder = reference_of(place, context)
        if folder is not None and folder.exists():
            remove_weights(context, folder)
    stored = [(name, version) for name, version in order.versions if version in context.store.versions(name)]
    for name, version in stored:
        context.store.erase(name, version)
    if not stored and isinstance(context.store, WeightPlaces):  # somebody deleted them: copies are all that is left
        context.store.remove_copies(task.weights)


def _bury(task: _Task, order: _Order, claim: Claim, context: Context) -> Destroyed:
    """Look through everything again; then the tombstones of all these versions, in one transaction."""
    proof = sweep(task.model, task.weights, context)
    left = (*proof.found, *_elsewhere(task, proof, context))
    if left:
        raise RefusedError(
            f"The weights of version {task.number} of {task.model} still lie at: {', '.join(left)}.",
            remedy="See who writes there, and say the same again; the order stands in the ledger.",
        )
    reach = (*OUT_OF_REACH, *_of_links(order), *_of_closed(proof), *_of_store(context))
    entries = {}
    with context.ledger.begin(context.database) as unit:
        check(unit, claim)
        strike_weights(unit, [row.place for row in weight_files(unit, task.weights)])
        for name, version in order.versions:
            body = {"version": version, **_body(task, order, proof), "out_of_reach": list(reach)}
            entries[name, version] = context.ledger.append(unit, Event(EventKind.WEIGHTS_DESTROYED, name, body))
    return Destroyed(
        model=task.model,
        version=task.number,
        weights=task.weights,
        versions=tuple(f"{name} {version}" for name, version in order.versions),
        places=tuple(sorted({place for place, _ in order.told})),
        searched=proof.searched,
        closed=len(proof.closed),
        out_of_reach=reach,
        heirs=task.heirs,
        entry=entries[task.model, task.number].number,
    )


def _body(task: _Task, order: _Order, proof: Swept) -> dict[str, object]:
    return {
        "weights": task.weights,
        "versions": [f"{name} {version}" for name, version in order.versions],
        "files": _listed(order.told),
        "searched": proof.searched,
        "closed": len(proof.closed),
        "heirs": list(task.heirs.versions),
        "heirs_unknown": list(task.heirs.unknown),
    }


def _told(unit: UnitOfWork, swept: Swept, elsewhere: Mapping[str, Digest]) -> set[_File]:
    """The files as the ledger names them: places of our own making; what a person called a file stays out of it."""
    ours = {row.place for row in weight_files(unit)} | set(swept.ours)
    rooms = (("workspace", swept.found), ("registry's server", elsewhere))
    return {
        (place if place in ours else f"elsewhere in the {room} ({digest[:12]})", digest)
        for room, files in rooms
        for place, digest in files.items()
    }


def _listed(files: Iterable[_File]) -> list[dict[str, str]]:
    return [{"place": place, "sha256": digest} for place, digest in sorted(files)]


def _files_of(order: Entry) -> set[_File]:
    files = order.body.get("files")
    found = files if isinstance(files, list) else []
    return {(str(item["place"]), str(item["sha256"])) for item in found if isinstance(item, Mapping)}


def _elsewhere(task: _Task, swept: Swept, context: Context) -> tuple[str, ...]:
    """Where the store still keeps these weights and a walk did not see them."""
    places = context.store.places_of(task.weights) if isinstance(context.store, WeightPlaces) else ()
    return tuple(place for place in places if place not in swept.found)


def _of_links(order: _Order) -> tuple[str, ...]:
    if not order.links:
        return ()
    return (f"{order.links} of the deleted files had another name outside the workspace (hard links), which was kept",)


def _of_closed(proof: Swept) -> tuple[str, ...]:
    if not proof.closed:
        return ()
    return (f"{len(proof.closed)} files of the workspace that are archives or cannot be read, and were not opened",)


def _of_store(context: Context) -> tuple[str, ...]:
    return context.store.out_of_reach() if isinstance(context.store, WeightPlaces) else ()
