"""Brings stored states of requests up to what the registry proves: answered, or open again.

A request is answered once every lineage that learned from the person has a champion or candidate whose proven manifest
does not list any of the images; each answer is a signed entry with its own evidence. Asked again nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from maintain.database import UnitOfWork
from maintain.errors import MaintainError
from maintain.hashing import Digest
from maintain.requests import Request, RequestStore
from maintain.vocabulary import RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.requests.prospect import Outlook, outlooks
from maintain_pipelines.suppress import EVERYWHERE
from maintain_registry import Entry, Event, EventKind, entries_about, entry_of_version


@dataclass(frozen=True, slots=True)
class Evidence:
    """A version that answers a request: the run that made it, what judged it, and the entries that say so.

    `manifest` is the digest of its proven manifest, in which none of the images is listed as learned. Run and verdict
    are None for a version that was trained or adopted.
    """

    model: str
    version: int
    weights: Digest
    manifest: Digest
    run: str | None
    verdict: Digest | None
    verdict_entry: int | None
    registered_entry: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A request whose state was brought up to date, by which entry, and what answers it now."""

    request: str
    before: RequestState
    now: RequestState
    evidence: tuple[Evidence, ...]
    entry: int


def settle(context: Context) -> tuple[Settled, ...]:
    """Write down which requests are answered by now and which no longer are. One query where there are none."""
    with context.database.read() as unit:
        waiting = RequestStore(unit).unfinished()
    if not waiting:
        return ()
    found = outlooks(waiting, context)
    changed = [request for request in waiting if state_of(found[request.name]) is not request.state]
    if not changed:
        return ()
    with context.ledger.begin(context.database) as unit:
        known = evidence_of((found[request.name] for request in changed), unit, context)
        moved = [_move(unit, request, found[request.name], known, context) for request in changed]
    return tuple(done for done in moved if done is not None)


def settle_after(context: Context) -> tuple[Settled, ...]:
    """`settle` behind something else that is done already: what goes wrong here is said, and undoes nothing of it."""
    try:
        done = settle(context)
    except MaintainError as error:
        context.talk.say(f"The requests of people were not brought up to date: {error.message}")
        return ()
    for one in done:
        context.talk.say(spoken(one))
    return done


def state_of(outlook: Outlook) -> RequestState:
    """Answered where no lineage is left without a version that answers."""
    return RequestState.OPEN if outlook.unanswered else RequestState.ANSWERED


def evidence_of(
    outlooks_of: Iterable[Outlook], unit: UnitOfWork, context: Context
) -> Mapping[tuple[str, int], Evidence]:
    """The evidence of every version that answers one of these outlooks, each looked up once."""
    versions = dict.fromkeys(pair for outlook in outlooks_of for pair in outlook.answering)
    return {(model, number): _of_version(unit, model, number, context) for model, number in versions}


def entries_of(unit: UnitOfWork, request: str, context: Context, *kinds: EventKind) -> tuple[Entry, ...]:
    """The entries of these kinds about one request, oldest first."""
    found = entries_about(unit, context.ledger, EVERYWHERE, *kinds)
    return tuple(entry for entry in found if entry.body.get("request") == request)


def evidence_for(unit: UnitOfWork, model: str, number: int, context: Context) -> Evidence:
    """What one version can show, whether or not it answers a request now."""
    return _of_version(unit, model, number, context)


def spoken(done: Settled) -> str:
    """For a person."""
    if done.now is RequestState.OPEN:
        return f"{done.request} is open again: the version that answered it is gone (ledger entry {done.entry})."
    by = ", ".join(f"{one.model} version {one.version}" for one in done.evidence) or "no version learned from them"
    return f"{done.request} is answered: {by} (ledger entry {done.entry})."


# --- private ---------------------------------------------------------------------------------------


def _move(
    unit: UnitOfWork,
    request: Request,
    outlook: Outlook,
    known: Mapping[tuple[str, int], Evidence],
    context: Context,
) -> Settled | None:
    after = state_of(outlook)
    if not RequestStore(unit).move(request.name, request.state, after, now=context.clock.now()):
        return None  # another process was here meanwhile
    evidence = tuple(known[pair] for pair in outlook.answering)
    if after is RequestState.ANSWERED:
        kind = EventKind.REQUEST_ANSWERED
        body: dict[str, object] = {"images": request.images, "copies": request.copies, "found": request.found.value}
        body["versions"] = [asdict(one) for one in evidence]
    else:
        kind = EventKind.REQUEST_REOPENED
        body = {"models": [lineage.model for lineage in outlook.unanswered]}
    entry = context.ledger.append(unit, Event(kind, EVERYWHERE, {"request": request.name, **body}))
    return Settled(request.name, request.state, after, evidence, entry.number)


def _of_version(unit: UnitOfWork, model: str, number: int, context: Context) -> Evidence:
    record = context.store.get(model, number).record
    judged: Mapping[object, int] = {}
    if record.verdict is not None:
        verdicts: Sequence[Entry] = entries_about(unit, context.ledger, model, EventKind.VERDICT_REACHED)
        judged = {entry.body.get("verdict"): entry.number for entry in verdicts}
    return Evidence(
        model=model,
        version=number,
        weights=record.weights,
        manifest=record.manifest,
        run=record.run,
        verdict=record.verdict,
        verdict_entry=judged.get(record.verdict),
        registered_entry=entry_of_version(unit, context.ledger, model, number).number,
    )
