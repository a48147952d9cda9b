"""What can be told of a request to the person who filed it: every fact that a letter needs, with where it is written.

Whatever is taken from the ledger is checked against its signature. Versions are asked anew, those whose weights were
destroyed included: a letter says what has become of every one that learned from the person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from maintain.cohort import CohortStore
from maintain.database import UnitOfWork
from maintain.errors import MaintainError
from maintain.hashing import Digest
from maintain.requests import DutyCount, RequestStore, Uses, count_duties
from maintain.vocabulary import Alias, Exposed, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.erasing import OUT_OF_REACH
from maintain_pipelines.exposure import Witness, witnesses
from maintain_pipelines.requests import Evidence, Prospect, Shelved, Standing, evidence_for, last_answer, standing_of
from maintain_registry import Entry, EventKind, Retirement, entries_about, entry_of_version, require_signed, retirements

#: Entries by which a version serves.
_SERVING = (EventKind.MODEL_INSTALLED, EventKind.VERSION_PROMOTED, EventKind.VERSION_ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class VersionTold:
    """A version that learned from the person, or cannot be shown not to have, and what became of it."""

    version: int
    answer: Exposed
    images: int
    serves: bool
    weights: Digest | None
    retired: Entry | None
    destroyed: Entry | None


@dataclass(frozen=True, slots=True)
class LineageTold:
    """A model one of whose versions learned from the person.

    `evidence`: the version that answers, or did when the request was answered last, or serves; `registered` by that
    entry.
    `serving`: the version that serves now, since which entry, and whether it is free of the person's images.
    """

    model: str
    versions: tuple[VersionTold, ...]
    evidence: Evidence | None
    registered: Entry | None
    serving: int | None
    since: Entry | None
    serving_free: bool
    prospect: Prospect | None

    @property
    def loadable(self) -> tuple[VersionTold, ...]:
        """Those of its versions whose weights still lie somewhere."""
        return tuple(version for version in self.versions if version.destroyed is None)


@dataclass(frozen=True, slots=True)
class Told:
    """A request on one day.

    `images` has a number for each person, None once nobody can say; `erased` and `searched` are None before the end;
    `resumed` erasures were cut short once, and what went before that is not counted.
    """

    standing: Standing
    today: date
    images: tuple[int | None, ...]
    lineages: tuple[LineageTold, ...]
    duties: tuple[DutyCount, ...]
    out_of_reach: tuple[str, ...]
    erased: Mapping[str, int] | None
    resumed: bool
    searched: int | None


def tell_request(name: str, context: Context, *, policies: Sequence[Shelved] | None = None) -> Told:
    """Everything about one request. Raises `UnknownNameError`, and `BrokenChainError` for an entry nobody signed."""
    standing = standing_of(name, context, policies=policies)
    with context.database.read() as unit:
        for entry in standing.entries:
            require_signed(entry, context.ledger)
        images = _images(unit, standing)
        cases = RequestStore(unit).barred(name)
    said = witnesses(cases, context) if cases else ()
    with context.database.read() as unit:
        lineages = tuple(
            found
            for model in sorted({witness.model for witness in said})
            if (found := _lineage(unit, model, said, cases, standing, context))
        )
    body = _last(standing, EventKind.REQUEST_CLOSED)
    return Told(
        standing=standing,
        today=context.clock.now().date(),
        images=images,
        lineages=lineages,
        duties=standing.outlook.duties if standing.outlook else _duties(cases, said, lineages),
        out_of_reach=_texts(body.get("out_of_reach")) if body else OUT_OF_REACH,
        erased=_counts(body.get("erased")) if body else None,
        resumed=bool(body and body.get("resumed")),
        searched=int(str(body["searched"])) if body else None,
    )


# --- private ---------------------------------------------------------------------------------------


def _images(unit: UnitOfWork, standing: Standing) -> tuple[int | None, ...]:
    """How many images of each person the request is about."""
    people, name = standing.people, standing.request.name
    if standing.request.state.ended:
        return (standing.request.images,) if len(people) == 1 else (None,) * len(people)
    mine = {one.case_id for one in RequestStore(unit).about([name])[name]}
    store = CohortStore(unit)
    return tuple(
        sum(1 for case in store.of_patient(person.patient) if case.case_id in mine) if person.patient else 0
        for person in people
    )


def _lineage(
    unit: UnitOfWork,
    model: str,
    said: Sequence[Witness],
    cases: frozenset[str],
    standing: Standing,
    context: Context,
) -> LineageTold | None:
    mine = [witness for witness in said if witness.model == model]
    exposed = [witness for witness in mine if witness.answer(cases) is not Exposed.NO]
    if not exposed:
        return None
    ends = retirements(unit, model)
    serving = next((witness for witness in mine if Alias.CHAMPION.value in witness.aliases), None)
    free = serving if serving is not None and serving.answer(cases) is Exposed.NO else None
    evidence = _evidence(unit, model, free, standing, context)
    lineages = standing.outlook.lineages if standing.outlook else ()
    return LineageTold(
        model=model,
        versions=tuple(_version(unit, witness, cases, ends.get(witness.version), context) for witness in exposed),
        evidence=evidence,
        registered=None if evidence is None else _signed(unit, evidence.registered_entry, context),
        serving=None if serving is None else serving.version,
        since=None if serving is None else _since(unit, model, serving.version, context),
        serving_free=free is not None,
        prospect=next((lineage for lineage in lineages if lineage.model == model), None),
    )


def _version(
    unit: UnitOfWork, witness: Witness, cases: frozenset[str], end: Retirement | None, context: Context
) -> VersionTold:
    gone = None if end is None or end.unfinished else end.destroyed
    return VersionTold(
        version=witness.version,
        answer=witness.answer(cases),
        images=len(witness.learned & cases),
        serves=Alias.CHAMPION.value in witness.aliases,
        weights=_weights(witness, context),
        retired=None if end is None else _signed(unit, end.retired, context),
        destroyed=None if gone is None else _signed(unit, gone, context),
    )


def _weights(witness: Witness, context: Context) -> Digest | None:
    try:
        return context.store.get(witness.model, witness.version).record.weights
    except MaintainError:
        return None


def _evidence(
    unit: UnitOfWork, model: str, free: Witness | None, standing: Standing, context: Context
) -> Evidence | None:
    """What answers for a model now, or did when a request was answered last; else what serves and is free of them."""
    past = () if standing.request.state is RequestState.OPEN else last_answer(standing.entries)
    found = next((one for one in (*standing.evidence, *past) if one.model == model), None)
    if found is None and free is not None:
        return evidence_for(unit, model, free.version, context)
    return found


def _since(unit: UnitOfWork, model: str, version: int, context: Context) -> Entry:
    """The entry by which a version serves; the first of a model serves from its registration on."""
    found = entries_about(unit, context.ledger, model, *_SERVING)
    mine = [entry for entry in found if entry.body.get("version") == version]
    return require_signed(mine[-1] if mine else entry_of_version(unit, context.ledger, model, version), context.ledger)


def _signed(unit: UnitOfWork, number: int, context: Context) -> Entry:
    return require_signed(context.ledger.entry(unit, number), context.ledger)


def _duties(cases: frozenset[str], said: Sequence[Witness], lineages: Sequence[LineageTold]) -> tuple[DutyCount, ...]:
    """What is owed after the end, as far as manifests say: who was looked at is erased with the person."""
    gone = {(one.model, it.version) for one in lineages for it in one.versions if it.destroyed is not None}
    kept = [witness for witness in said if (witness.model, witness.version) not in gone]
    chosen = frozenset().union(*(witness.selected_with for witness in kept))
    return count_duties(cases, Uses(learned=frozenset().union(*(one.learned for one in kept)), chosen=chosen & cases))


def _last(standing: Standing, kind: EventKind) -> Mapping[str, object] | None:
    found = [entry.body for entry in standing.entries if entry.event is kind]
    return found[-1] if found else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _counts(value: object) -> Mapping[str, int]:
    return {str(kind): int(count) for kind, count in value.items()} if isinstance(value, dict) else {}
