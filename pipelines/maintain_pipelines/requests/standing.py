"""Everything about a request on one page: its date, its duties, what answers it, and what stands in its way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields

from maintain.requests import Deadline, Doubts, Person, Request, RequestStore, deadline_of, read_doubts
from maintain.vocabulary import Found, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.requests.prospect import Outlook, Prospect, Shelved, outlooks
from maintain_pipelines.requests.settling import Evidence, entries_of, evidence_of
from maintain_registry import Entry, EventKind

#: What the ledger says of a request.
FACTS = (
    EventKind.REQUEST_FILED,
    EventKind.REQUEST_WITHDRAWN,
    EventKind.REQUEST_ANSWERED,
    EventKind.REQUEST_REOPENED,
    EventKind.REQUEST_REPLIED,
    EventKind.ERASURE_ORDERED,
    EventKind.REQUEST_CLOSED,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands today.

    `deadline` and `outlook` are None of one that ended. `unanswered` and `unclosed` say in words what is still in the
    way of its being answered and closed; `evidence` are the versions that answer it, or did when it was answered last.
    """

    request: Request
    people: tuple[Person, ...]
    deadline: Deadline | None
    outlook: Outlook | None
    doubts: Doubts
    unanswered: tuple[str, ...]
    unclosed: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    entries: tuple[Entry, ...]

    @property
    def waits_for(self) -> str:
        """The first thing in its way, for a list."""
        return next(iter((*self.unanswered, *self.unclosed)), "nothing")

    @property
    def replied(self) -> Entry | None:
        """The last letter that was written."""
        letters = [entry for entry in self.entries if entry.event is EventKind.REQUEST_REPLIED]
        return letters[-1] if letters else None


def standing_of(name: str, context: Context, *, policies: Sequence[Shelved] | None = None) -> Standing:
    """One request. Raises `UnknownNameError` with the nearest name."""
    with context.database.read() as unit:
        request = RequestStore(unit).get(name)
    return _standings((request,), context, policies)[0]


def standings(
    context: Context,
    *,
    states: Collection[RequestState] = tuple(RequestState),
    policies: Sequence[Shelved] | None = None,
) -> tuple[Standing, ...]:
    """Every request in one of these states."""
    with context.database.read() as unit:
        requests = RequestStore(unit).all(states)
    return _standings(requests, context, policies)


def last_answer(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    """What answered an ended request, as the last signed entry about it says."""
    answered = [entry for entry in entries if entry.event is EventKind.REQUEST_ANSWERED]
    versions = answered[-1].body.get("versions") if answered else None
    names = [item.name for item in fields(Evidence)]
    if not isinstance(versions, list):
        return ()
    return tuple(Evidence(**{name: version.get(name) for name in names}) for version in versions)


# --- private ---------------------------------------------------------------------------------------


def _standings(
    requests: Sequence[Request], context: Context, policies: Sequence[Shelved] | None
) -> tuple[Standing, ...]:
    living = [request for request in requests if not request.state.ended]
    found = outlooks(living, context, policies=policies) if living else {}
    return tuple(_standing(request, found, context) for request in requests)


def _standing(request: Request, found: Mapping[str, Outlook], context: Context) -> Standing:
    outlook = found.get(request.name)
    with context.database.read() as unit:
        people = RequestStore(unit).people(request.name)
        entries = entries_of(unit, request.name, context, *FACTS)
        doubts = read_doubts(unit) if request.found is Found.CANNOT_EXCLUDE else Doubts(0, 0, 0)
    warn = context.workspace.settings.requests.warn_days
    today = context.clock.now().date()
    if outlook is None:
        return Standing(request, people, None, None, doubts, (), (), last_answer(entries), entries)
    return Standing(
        request=request,
        people=people,
        deadline=deadline_of(request.due, today, warn_days=warn),
        outlook=outlook,
        doubts=doubts,
        unanswered=tuple(_unanswered(lineage) for lineage in outlook.unanswered),
        unclosed=tuple(text for lineage in outlook.lineages for text in _unclosed(lineage)),
        evidence=evidence_of(outlook, context),
        entries=entries,
    )


def _unanswered(lineage: Prospect) -> str:
    if lineage.policy is not None:
        when = f" (scheduled: {lineage.schedule})" if lineage.schedule else " (no schedule: a person runs it)"
        return f"{lineage.model}: `maintain run policies/{lineage.policy}`{when}"
    return f"{lineage.model}: {lineage.action or 'no version without these images yet'}"


def _unclosed(lineage: Prospect) -> Sequence[str]:
    """The versions that a person must still retire and destroy, and first the one that must serve in their place."""
    said = []
    for version in lineage.exposed:
        name = f"{lineage.model} version {version.version}"
        if "champion" in version.aliases:
            said.append(f"{name} serves: promote a version without these images (`maintain registry promote`)")
        how = "retired, but its weights lie here" if version.retired else "can be loaded"
        said.append(
            f"{name} {how}: `maintain registry retire {lineage.model} {version.version} --reason TEXT --destroy`"
        )
    return said
