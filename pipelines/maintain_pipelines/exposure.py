"""Which versions were made with a case, or with anything of a patient: yes, no, or nobody can say.

The answer comes from a version's own manifest and from those of the versions whose weights it began from,
each against its digest in the ledger. What is not proven is never answered with no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from maintain import codec
from maintain.cohort import CohortStore, barred_cases
from maintain.database import UnitOfWork
from maintain.errors import DamagedError, InputError, MaintainError
from maintain.hashing import Digest
from maintain.intake import load_pseudonyms
from maintain.records import ModelVersion, Origin
from maintain.vocabulary import Alias, Exposed, ManifestStatus, OriginKind
from maintain_pipelines.champions import MANIFEST_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.listing import Listed, listed
from maintain_registry import (
    ModelStore,
    StoredVersion,
    entry_of_version,
    getter_of,
    known_models,
    registered,
    require_signed,
)

#: Manifests that are read at once: most of the time goes into their digests, which need no lock of Python's.
READERS = 4


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is asked for: the cases themselves, and every other case that shows exactly the same picture."""

    cases: frozenset[str]
    copies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What one version says: the answer, why, how many cases it learned, and how many only chose among versions."""

    model: str
    version: int
    aliases: tuple[str, ...]
    answer: Exposed
    why: str
    learned: int
    selected_with: int


@dataclass(frozen=True, slots=True)
class Witness:
    """What one version says of many cases at once: those in its weights, and those that only chose among versions.

    `gap` says why it cannot be believed about the others; None where what it does not list it did not learn.
    """

    model: str
    version: int
    aliases: tuple[str, ...]
    learned: frozenset[str]
    selected_with: frozenset[str]
    gap: str | None

    def answer(self, cases: frozenset[str]) -> Exposed:
        """The answer about some of the cases that it was asked for."""
        if self.learned & cases:
            return Exposed.YES
        return Exposed.NO if self.gap is None else Exposed.UNKNOWN


def case_sought(case: str, context: Context) -> Sought:
    """One case and its exact copies; a case that the cohort lost is looked for all the same."""
    with context.database.read() as unit:
        try:
            found = CohortStore(unit).case(case)
        except InputError:
            return Sought(frozenset({case}))
        copies = CohortStore(unit).copies([found])
    return Sought(frozenset({case}), frozenset(copy.case_id for copy in copies))


def patient_of_case_sought(case: str, context: Context) -> Sought:
    """Every case of the patient whom a case belongs to. Raises `InputError` when the cohort lacks it."""
    with context.database.read() as unit:
        return _of_patient(unit, CohortStore(unit).case(case).patient)


def patient_sought(patient_id: str, issuer: str | None, context: Context) -> Sought:
    """Every case of the patient with that identifier, of which nothing is kept or said.

    Whoever was erased is found again by the mark that bars them, and their images on the list of what nobody may use.
    Raises `InputError` when it names nobody whom the cohort has or had.
    """
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    patient = pseudonyms.patient(patient_id, issuer)
    with context.database.read() as unit:
        sought = _of_patient(unit, patient) if patient is not None else Sought(frozenset())
        if patient is not None and not sought.cases:
            sought = Sought(barred_cases(unit, pseudonyms.barred(patient)))
    if not sought.cases:
        raise InputError(
            "The cohort knows nobody of that identifier.",
            remedy="Check it, and name the IssuerOfPatientID of the images with `--issuer` where they have one.",
        )
    return sought


def exposures(sought: Sought, context: Context) -> tuple[Exposure, ...]:
    """The answer of every version of every model, those that the ledger has never seen included."""
    found = _of_every_model(sought.cases | sought.copies, context)
    return tuple(_answer(model, number, sought) for model in found for number in model.numbers)


def witnesses(cases: frozenset[str], context: Context) -> tuple[Witness, ...]:
    """What every version of every model says of these cases; each manifest is read once, however many there are."""
    found = _of_every_model(cases, context)
    return tuple(_witness(model, number) for model in found for number in model.numbers)


def require_known(sought: Sought, found: tuple[Exposure, ...], context: Context) -> None:
    """Raise `InputError` when neither the cohort nor any manifest has heard of the case: a slip is no NO."""
    if any(item.learned or item.selected_with for item in found):
        return
    with context.database.read() as unit:
        for case in sought.cases:
            CohortStore(unit).case(case)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """A registered version with what its manifest lists of those who are sought."""

    record: ModelVersion
    listed: Listed


def _of_patient(unit: UnitOfWork, patient: str) -> Sought:
    store = CohortStore(unit)
    cases = store.of_patient(patient)
    own = frozenset(case.case_id for case in cases)
    return Sought(own, frozenset(copy.case_id for copy in store.copies(cases)) - own)


def _recorded(unit: UnitOfWork, model: str, context: Context) -> Mapping[int, object]:
    """The digest of each version's record, as its signed entry says. Raises `BrokenChainError` where one is not."""
    entries = {number: entry_of_version(unit, context.ledger, model, number) for number in registered(unit, model)}
    return {number: require_signed(entry, context.ledger).body.get("record") for number, entry in entries.items()}


@dataclass(frozen=True, slots=True)
class _Model:
    """Every version of a model that was read, those that could not be with the reason, and the aliases."""

    name: str
    told: Mapping[int, _Told]
    broken: Mapping[int, str]
    by_name: Mapping[tuple[Digest, Digest], int]
    aliases: Mapping[str, int | None]

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted({*self.told, *self.broken}))

    def held(self, number: int) -> tuple[str, ...]:
        return tuple(alias for alias, at in self.aliases.items() if at == number)


def _of_every_model(cases: frozenset[str], context: Context) -> tuple[_Model, ...]:
    with context.database.read() as unit:
        models = sorted({*known_models(unit), *context.store.models()})
        recorded = {model: _recorded(unit, model, context) for model in models}
    return tuple(_of_model(model, recorded[model], cases, context.store) for model in models)


def _of_model(model: str, recorded: Mapping[int, object], cases: frozenset[str], store: ModelStore) -> _Model:
    numbers = sorted({*recorded, *store.versions(model)})
    get = _getter(model, store)
    with ThreadPoolExecutor(max_workers=READERS) as readers:
        read = tuple(readers.map(lambda number: _read(number, recorded, cases, get), numbers))
    told = {number: found for number, found in zip(numbers, read, strict=True) if isinstance(found, _Told)}
    broken = {number: found for number, found in zip(numbers, read, strict=True) if isinstance(found, str)}
    by_name = {(item.record.weights, item.record.manifest): number for number, item in told.items()}
    return _Model(model, told, broken, by_name, _aliases(model, store))


def _getter(model: str, store: ModelStore) -> Callable[[int], StoredVersion]:
    """What hands out versions; a registry in which two claim one number can answer for none of them."""
    try:
        return getter_of(store, model)
    except DamagedError as error:
        damaged = error

    def get(number: int) -> StoredVersion:
        raise damaged

    return get


def _read(
    number: int, recorded: Mapping[int, object], cases: frozenset[str], get: Callable[[int], StoredVersion]
) -> _Told | str:
    """What the manifest of a version lists, or why nobody can say."""
    if number not in recorded:
        return "it is stored, but the ledger has never seen it"
    try:
        stored = get(number)
        if codec.digest_of(stored.record) != recorded[number]:
            return "it is not the version that its ledger entry names"
        return _Told(stored.record, listed(stored.read(MANIFEST_FILE), cases))
    except (MaintainError, UnicodeDecodeError):
        return "its files are damaged or gone"


def _answer(model: _Model, number: int, sought: Sought) -> Exposure:
    held = model.held(number)
    if number in model.broken:
        return Exposure(model.name, number, held, Exposed.UNKNOWN, model.broken[number], 0, 0)
    mine, chain = model.told[number].listed, _began_from(number, model.told, model.by_name)[0]
    said = _witness(model, number)
    answer = said.answer(said.learned)
    if answer is Exposed.YES:
        why = _how(mine, chain, model.told, sought)
    else:
        why = said.gap or "proven manifests back to random weights do not list it as learned"
    return Exposure(model.name, number, held, answer, why, len(said.learned), len(mine.selected_with))


def _witness(model: _Model, number: int) -> Witness:
    held = model.held(number)
    if number in model.broken:
        return Witness(model.name, number, held, frozenset(), frozenset(), model.broken[number])
    mine = model.told[number].listed
    chain, gap = _began_from(number, model.told, model.by_name)
    learned = mine.learned | mine.unlearned
    for earlier in chain:
        learned |= model.told[earlier].listed.learned | model.told[earlier].listed.unlearned
    return Witness(model.name, number, held, learned, mine.selected_with, gap)


def _how(mine: Listed, chain: tuple[int, ...], told: Mapping[int, _Told], sought: Sought) -> str:
    """Where it was learned; what was learned here says more than what came with the weights."""
    if mine.learned & sought.cases:
        return "it learned from it"
    if mine.learned:
        return "it learned from an exact copy"
    if mine.unlearned:
        return "learned by a version whose weights it began from, and unlearned by behaviour"
    earlier = next(number for number in chain if told[number].listed.learned | told[number].listed.unlearned)
    return f"it began from the weights of version {earlier}, which learned from it"


def _began_from(
    number: int, told: Mapping[int, _Told], by_name: Mapping[tuple[Digest, Digest], int]
) -> tuple[tuple[int, ...], str | None]:
    """The versions whose weights lie under this one, nearest first, and what of that cannot be shown."""
    chain: list[int] = []
    at = number
    while True:
        head = told[at].listed.head
        if head.status is not ManifestStatus.PROVEN:
            return tuple(chain), f"the manifest of version {at} is {head.status}, not proven"
        following = _before(head.origin, by_name)
        if following is None or following in (number, *chain):
            lost = head.origin.kind is not OriginKind.INITIALISATION
            return tuple(chain), f"version {at} began from weights that the registry does not have" if lost else None
        chain.append(following)
        at = following


def _before(origin: Origin, by_name: Mapping[tuple[Digest, Digest], int]) -> int | None:
    return None if origin.manifest is None else by_name.get((origin.weights, origin.manifest))


def _aliases(model: str, store: ModelStore) -> Mapping[str, int | None]:
    try:
        return {alias.value: store.alias(model, alias) for alias in Alias}
    except DamagedError:
        return {}
