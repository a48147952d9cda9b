"""Closing a request: order, sweep, proof, and one transaction with the rows, the tombstone and the end.

The order is signed before anything goes, so that a killed closing is known and gone on with. Files are swept and
looked through while the rows still say what to look for; the rows go together with the tombstone, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from maintain import codec
from maintain.cohort import Marks, Remains, erase_rows, left_in_rows
from maintain.errors import DamagedError, NothingToDoError, RefusedError, WaitingError
from maintain.vocabulary import Found, RequestState
from maintain_pipelines.claims import Claim, check, hold
from maintain_pipelines.context import Context
from maintain_pipelines.erasing.learned import clean_weights
from maintain_pipelines.erasing.looking import BESIDE_DATABASE, Looked, bytes_naming, look
from maintain_pipelines.erasing.obstacles import every_model, obstacles, ready, unfinished_runs
from maintain_pipelines.erasing.requested import (
    Requested,
    mark_closed,
    order_of,
    others_naming,
    requested,
    tombstone_of,
)
from maintain_pipelines.erasing.sweeping import Order, sweep
from maintain_pipelines.suppress import EVERYWHERE
from maintain_pipelines.weight_places import place_of
from maintain_pipelines.weight_walk import walk
from maintain_registry import Event, EventKind, WeightPlaces

#: What a second process is told that works on a model meanwhile.
HOLDER = "request close"

#: What no walk through a workspace can reach; every tombstone says so.
OUT_OF_REACH = (
    "backups of the workspace, of its disk and of its database that lie elsewhere",
    "the PACS, and the folders and tables that images were read from",
    "copies that were exported, downloaded or deployed, and what others were sent",
    "letters and reports outside the workspace",
    "other names of deleted files that lead out of the workspace (hard links)",
    "pictures that somebody put below the workspace in another form than its own (DICOM, PNG, a page)",
    "bytes of deleted files that a disk keeps until it writes over them",
)


@dataclass(frozen=True, slots=True)
class Closed:
    """What a tombstone says: how much went of each kind, how many files the proof looked at, what is out of reach.

    `resumed`: an earlier closing was cut short, and what that one erased is not counted.
    """

    request: str
    ordered: int
    entry: int
    erased: Mapping[str, int]
    snapshots: tuple[Remains, ...]
    searched: int
    closed: int
    out_of_reach: tuple[str, ...]
    resumed: bool = False


def close_request(name: str, context: Context) -> Closed:
    """Erase what the workspace holds of the people of an answered request, prove it, and close it.

    Raises:
        NothingToDoError: It is closed already, or was withdrawn.
        WaitingError: Something must happen first, or another process works on a model.
        RefusedError: Something of them is left; the request stays answered and the order stands.
    """
    with context.database.read() as unit:
        request, done = requested(unit, name), tombstone_of(unit, name)
    if request.state is RequestState.CLOSED:
        context.database.compact()
        raise NothingToDoError(f"{name} is closed, ledger entry {done}.", remedy="Nothing was changed.")
    if request.state is RequestState.WITHDRAWN:
        raise NothingToDoError(f"{name} was withdrawn: nothing is to be erased for it.", remedy="Nothing was changed.")
    _refuse(name, ready(name, context))
    seconds = context.workspace.settings.runs.lease_seconds
    with ExitStack() as stack:
        claims = tuple(
            stack.enter_context(hold(context.database, model, HOLDER, lease_seconds=seconds))
            for model in every_model(context)
        )
        _refuse(name, obstacles(request.marks, context))
        closed = _close(request, claims, context)
    _compact(request.marks, context)
    return closed


# --- private ---------------------------------------------------------------------------------------


def _refuse(name: str, standing: tuple[str, ...]) -> None:
    if standing:
        raise WaitingError(
            f"{name} cannot be closed yet. {' '.join(standing)}",
            remedy="Do that first and say it again.",
        )


def _close(request: Requested, claims: tuple[Claim, ...], context: Context) -> Closed:
    order = _order(request, claims, context)
    swept = sweep(order, request.marks, context)
    proof = _prove(request.marks, context)
    reach = (*OUT_OF_REACH, *_of_doubt(request), *_of_closed(proof), *_of_store(context))
    with context.ledger.begin(context.database) as unit:
        for claim in claims:
            check(unit, claim)
        rows = erase_rows(unit, request.marks, request.reason)
        others = others_naming(unit, request.name, request.marks)
        mark_closed(unit, request.name, context)
        besides = dict.fromkeys(("request_person", "request_case"), others)
        _refuse_left(left_in_rows(unit, request.marks, besides=besides))
        erased = {**swept, **rows.counts}
        reach = (*reach, *_of_others(others))
        body = {
            "request": request.name,
            "order": order.entry,
            "erased": erased,
            "resumed": order.resumed,
            "snapshots": [codec.encode(item) for item in rows.snapshots],
            "searched": proof.files,
            "closed": len(proof.closed),
            "out_of_reach": list(reach),
        }
        entry = context.ledger.append(unit, Event(EventKind.REQUEST_CLOSED, EVERYWHERE, body))
    return Closed(
        request.name,
        order.entry,
        entry.number,
        erased,
        rows.snapshots,
        proof.files,
        len(proof.closed),
        reach,
        order.resumed,
    )


def _order(request: Requested, claims: tuple[Claim, ...], context: Context) -> Order:
    """The order that stands, or a new one, signed before anything goes."""
    with context.ledger.begin(context.database) as unit:
        for claim in claims:
            check(unit, claim)
        entry = order_of(unit, request.name)
        resumed = entry is not None
        if entry is None:
            body = {"request": request.name, "reason": request.reason.value, "images": len(request.marks.cases)}
            entry = context.ledger.append(unit, Event(EventKind.ERASURE_ORDERED, EVERYWHERE, body)).number
    return Order(request.name, entry, resumed)


def _prove(marks: Marks, context: Context) -> Looked:
    """Look through every file again. Raises `RefusedError` naming the places where something is left."""
    proof = look(context.workspace, marks)
    files = (*proof.pictures, *(item.path for item in proof.naming))
    _refuse_left((*(place_of(path, context) for path in files), *_unaccounted(marks, context)))
    return proof


def _unaccounted(marks: Marks, context: Context) -> Iterable[str]:
    """Weights that nobody can show not to have learned from the images, but for work that knows none of them."""
    clean, root = clean_weights(marks, context), context.workspace.root
    kept = [context.workspace.runs / run for run in unfinished_runs(context)]
    for item in walk(root).lying:
        path = root / item.place
        ours = path.is_relative_to(context.workspace.trainings) or any(path.is_relative_to(run) for run in kept)
        if item.weights not in clean and not ours:
            yield f"{item.place} (weights that no manifest accounts for)"


def _refuse_left(left: Iterable[str]) -> None:
    places = tuple(left)
    if places:
        raise RefusedError(
            f"Something of these people is left at: {', '.join(places)}.",
            remedy="Remove it, or move it out of the workspace, and say it again; the order stands in the ledger.",
        )


def _compact(marks: Marks, context: Context) -> None:
    """Leave nothing in freed pages of the database. The list of what nobody may use names images still."""
    context.database.compact()
    people = Marks(marks.patients, marks.studies, marks.series)
    database = context.workspace.database
    with context.database.read() as unit:
        left = left_in_rows(unit, people, besides={})
    files = [database.with_name(database.name + end) for end in BESIDE_DATABASE]
    if not left and any(path.is_file() and bytes_naming(path, people) for path in files):
        raise DamagedError(
            "The request is closed, but the file of the database keeps bytes of what was erased.",
            remedy="Say `maintain request close` again while no other command runs; it writes the file anew.",
        )


def _of_doubt(request: Requested) -> tuple[str, ...]:
    """Nobody was searched for whom nobody could find: their images may lie here under another name."""
    if request.found is not Found.CANNOT_EXCLUDE:
        return ()
    return ("images in the cohort of whom the request names: it could not be excluded that there are any",)


def _of_closed(proof: Looked) -> tuple[str, ...]:
    if not proof.closed:
        return ()
    return (f"{len(proof.closed)} files of the workspace that are archives or cannot be read, and were not opened",)


def _of_store(context: Context) -> tuple[str, ...]:
    return context.store.out_of_reach() if isinstance(context.store, WeightPlaces) else ()


def _of_others(others: frozenset[str]) -> tuple[str, ...]:
    if not others:
        return ()
    return (f"the rows of {', '.join(sorted(others))}: not ended, and about the same people or images",)
