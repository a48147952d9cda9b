"""Everything about a request on one page: its date, its duties, what answers it, and what stands in its way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields

from maintain.database import UnitOfWork
from maintain.errors import RegistryUnreachableError
from maintain.requests import Deadline, Doubts, Person, Request, RequestStore, deadline_of
from maintain.vocabulary import Found, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.requests.filing import doubts_of
from maintain_pipelines.requests.prospect import Outlook, Prospect, Shelved, outlooks
from maintain_pipelines.requests.settling import Evidence, evidence_of
from maintain_pipelines.suppress import EVERYWHERE
from maintain_registry import Entry, EventKind, entries_about

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

    `deadline` and `outlook` are None of one that ended, `outlook` also where the registry is away. `unanswered` and
    `unclosed` say in words what is still in the way of its being answered and closed; `evidence` are the versions that
    answer it, or did when it was answered last.
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
        """What comes next, in a few words for a list; what a person must do before what happens by itself."""
        if self.request.state.ended:
            return "nothing"
        if self.outlook is None:
            return "the registry to answer"
        for lineage in sorted(self.outlook.unanswered, key=lambda one: one.policy is not None):
            return f"{lineage.model}: {f'policies/{lineage.policy}' if lineage.policy else 'a person'}"
        left = [f"{lineage.model} {one.version}" for lineage in self.outlook.lineages for one in lineage.exposed]
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            return f"{left[0]}{more} to be destroyed"
        if self.request.found is Found.CANNOT_EXCLUDE:
            return "a person: more images cannot be excluded"
        return "being closed"

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
    found: Mapping[str, Outlook] = {}
    try:
        found = outlooks(living, context, policies=policies) if living else {}
    except RegistryUnreachableError as error:  # dates and states are told all the same
        context.talk.say(f"What the models learned cannot be asked. {error.message}")
    with context.database.read() as unit:
        told = _Told.read(unit, found, context)
        return tuple(_standing(unit, request, told, context) for request in requests)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is read once for all requests: outlooks, the evidence that they name, and the entries about each."""

    outlooks: Mapping[str, Outlook]
    evidence: Mapping[tuple[str, int], Evidence]
    entries: Mapping[str, Sequence[Entry]]

    @classmethod
    def read(cls, unit: UnitOfWork, found: Mapping[str, Outlook], context: Context) -> _Told:
        entries: dict[str, list[Entry]] = {}
        for entry in entries_about(unit, context.ledger, EVERYWHERE, *FACTS):
            entries.setdefault(str(entry.body.get("request")), []).append(entry)
        return cls(found, evidence_of(found.values(), unit, context), entries)


def _standing(unit: UnitOfWork, request: Request, told: _Told, context: Context) -> Standing:
    outlook, entries = told.outlooks.get(request.name), tuple(told.entries.get(request.name, ()))
    ended, warn = request.state.ended, context.workspace.settings.requests.warn_days
    today = context.clock.now().date()
    return Standing(
        request=request,
        people=RequestStore(unit).people(request.name),
        deadline=None if ended else deadline_of(request.due, today, warn_days=warn),
        outlook=outlook,
        doubts=doubts_of(unit) if request.found is Found.CANNOT_EXCLUDE else Doubts(0, 0, 0),
        unanswered=() if outlook is None else tuple(_unanswered(lineage) for lineage in outlook.unanswered),
        unclosed=() if outlook is None else tuple(text for lineage in outlook.lineages for text in _unclosed(lineage)),
        evidence=last_answer(entries) if outlook is None else tuple(told.evidence[pair] for pair in outlook.answering),
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
