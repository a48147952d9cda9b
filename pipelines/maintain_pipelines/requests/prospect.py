"""What each model lineage owes a request: which of its versions learned from the person, and what will answer it.

A lineage with such a version is helped by a policy that asks for open requests, or by nobody but a person; then the
action is named. Only a proven manifest answers: what nobody can show keeps a request open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from maintain.cohort import CohortStore, select
from maintain.database import UnitOfWork
from maintain.errors import InputError, MaintainError
from maintain.predicate import asked_fields
from maintain.records import Case
from maintain.requests import About, DutyCount, Request, RequestStore, Uses, count_duties
from maintain.vocabulary import Alias, Claim, Exposed, ManifestStatus
from maintain_pipelines.champions import load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.exposure import Witness, witnesses
from maintain_policies import Policy
from maintain_registry import retirements

#: The field of a policy by which open requests are answered.
STATUS_FIELD = "request.status"

#: Which alias may answer a request, the one that serves first.
ANSWERING = (Alias.CHAMPION.value, Alias.CANDIDATE.value)


@dataclass(frozen=True, slots=True)
class Shelved:
    """A policy of the workspace, and the name of its file."""

    file: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class ExposedVersion:
    """A version whose weights lie somewhere and that learned from the person, or cannot be shown not to have.

    `images`: how many of the request's it learned; `why` says what is missing where that is unknown.
    """

    version: int
    aliases: tuple[str, ...]
    answer: Exposed
    images: int
    retired: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """One lineage with an exposed version.

    `answered_by`: its champion or candidate that is proven not to have learned from any of the images. Else `policy`,
    the file that will make one, with its `schedule` if it has any; else `action`, what only a person can do. Both are
    None where nobody handed policies in.
    """

    model: str
    exposed: tuple[ExposedVersion, ...]
    duties: tuple[DutyCount, ...]
    answered_by: int | None
    policy: str | None = None
    schedule: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one request asks of its images and of every lineage; `duties` are the heaviest over all lineages."""

    duties: tuple[DutyCount, ...]
    lineages: tuple[Prospect, ...]

    @property
    def unanswered(self) -> tuple[Prospect, ...]:
        """The lineages that no version answers yet."""
        return tuple(lineage for lineage in self.lineages if lineage.answered_by is None)

    @property
    def answering(self) -> tuple[tuple[str, int], ...]:
        """The versions that answer, by model."""
        found = ((lineage.model, lineage.answered_by) for lineage in self.lineages)
        return tuple((model, number) for model, number in found if number is not None)


def outlooks(
    requests: Sequence[Request], context: Context, *, policies: Sequence[Shelved] | None = None
) -> Mapping[str, Outlook]:
    """The outlook of each of these unfinished requests; every manifest is read once."""
    with context.database.read() as unit:
        store = RequestStore(unit)
        about = store.about([request.name for request in requests])
        every = frozenset(one.case_id for cases in about.values() for one in cases)
        looked = store.looked_at(every)
    said = witnesses(every, context) if every else ()
    with context.database.read() as unit:
        standing = _Standing.read(unit, said)
        cohort = CohortStore(unit)
        known = cohort.named(every & cohort.case_ids()) if policies else ()
        cases = {case.case_id: case for case in known}
    helpers = _Helpers(policies, cases, context)
    return {request.name: _outlook(about[request.name], standing, looked, helpers) for request in requests}


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Standing:
    """What every version says that still has weights somewhere, and which of them are retired."""

    said: tuple[Witness, ...]
    retired: frozenset[tuple[str, int]]

    @classmethod
    def read(cls, unit: UnitOfWork, said: Iterable[Witness]) -> _Standing:
        said = tuple(said)
        found = {model: retirements(unit, model) for model in {witness.model for witness in said}}
        gone = {
            (model, number)
            for model, known in found.items()
            for number, end in known.items()
            if end.destroyed is not None and not end.unfinished
        }
        kept = tuple(witness for witness in said if (witness.model, witness.version) not in gone)
        return cls(kept, frozenset((model, number) for model, known in found.items() for number in known))

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({witness.model for witness in self.said}))

    def of(self, model: str) -> tuple[Witness, ...]:
        return tuple(witness for witness in self.said if witness.model == model)


@dataclass(frozen=True, slots=True)
class _Helpers:
    """The policies that may help, and the cases that they must select; None where nobody handed any in."""

    policies: Sequence[Shelved] | None
    cases: Mapping[str, Case]
    context: Context
    blocked: dict[str, str | None] = field(default_factory=dict)

    def help(self, model: str, wanted: frozenset[str]) -> tuple[str | None, str | None, str | None]:
        """The file of the policy that will answer, its schedule, and what a person must do where there is none."""
        if self.policies is None:
            return None, None, None
        if model not in self.blocked:  # a champion is read once, however many requests ask
            self.blocked[model] = _blocked(model, self.context)
        if (blocked := self.blocked[model]) is not None:
            return None, None, blocked
        for shelved in self.policies:
            if shelved.policy.model.name == model and self._selects(shelved.policy, wanted):
                due = getattr(shelved.policy, "schedule", None)
                return shelved.file, None if due is None else due.spoken(), None
        written = f"`maintain policy new forget-requests --model {model}`"
        return None, None, f"no policy in policies/ forgets open requests: write one with {written}, and run it"

    def _selects(self, policy: Policy, wanted: frozenset[str]) -> bool:
        if STATUS_FIELD not in asked_fields(policy.where) or policy.claim is not Claim.NEVER_SAW:
            return False
        given = tuple(self.cases[case_id] for case_id in sorted(wanted & self.cases.keys()))
        return {found.case.case_id for found in select(given, policy.where, policy.unit)} >= wanted


def _outlook(
    about: Sequence[About], standing: _Standing, looked: Mapping[str, frozenset[str]], helpers: _Helpers
) -> Outlook:
    cases = frozenset(one.case_id for one in about)
    used = {model: _uses(standing.of(model), looked.get(model, frozenset())) for model in standing.models}
    lineages = tuple(
        found for model in standing.models if (found := _prospect(standing, model, cases, used[model], helpers))
    )
    together = Uses(
        learned=frozenset().union(*(uses.learned for uses in used.values())),
        unknown=any(uses.unknown for uses in used.values()),
        chosen=frozenset().union(*(uses.chosen for uses in used.values())),
        looked=frozenset().union(*looked.values()),
    )
    return Outlook(count_duties(cases, together), lineages)


def _uses(said: Iterable[Witness], looked: frozenset[str]) -> Uses:
    said = tuple(said)
    return Uses(
        learned=frozenset().union(*(witness.learned for witness in said)),
        unknown=any(witness.gap is not None for witness in said),
        chosen=frozenset().union(*(witness.selected_with for witness in said)),
        looked=looked,
    )


def _prospect(standing: _Standing, model: str, cases: frozenset[str], uses: Uses, helpers: _Helpers) -> Prospect | None:
    said = standing.of(model)
    exposed = tuple(witness for witness in said if cases and witness.answer(cases) is not Exposed.NO)
    if not exposed:
        return None
    told = tuple(
        ExposedVersion(
            version=witness.version,
            aliases=witness.aliases,
            answer=witness.answer(cases),
            images=len(witness.learned & cases),
            retired=(model, witness.version) in standing.retired,
            why=None if witness.answer(cases) is Exposed.YES else witness.gap,
        )
        for witness in exposed
    )
    answer = _answering(said, cases)
    learned = cases & frozenset().union(*(witness.learned for witness in exposed))
    policy, schedule, action = (None, None, None) if answer else helpers.help(model, learned or cases)
    return Prospect(model, told, count_duties(cases, uses), answer, policy, schedule, action)


def _answering(said: Iterable[Witness], cases: frozenset[str]) -> int | None:
    free = [witness for witness in said if witness.answer(cases) is Exposed.NO]
    held = (witness.version for alias in ANSWERING for witness in free if alias in witness.aliases)
    return next(held, None)


def _blocked(model: str, context: Context) -> str | None:
    """Why no policy can help this lineage, and what a person must do; None where one could."""
    try:
        champion = load_champion(context, model)
    except InputError:
        return (
            f"no version of {model} serves, so none can be retrained: train one with `maintain model train {model}`, "
            "or retire and destroy the versions above"
        )
    except MaintainError:
        return f"the serving version of {model} cannot be read: `maintain doctor` says what is damaged"
    number = champion.version.version
    if champion.manifest.status is ManifestStatus.UNKNOWN:
        return (
            f"nobody knows what version {number} of {model} was trained on, so nothing can be unlearned from it: "
            "train another model and let it serve, then retire and destroy this one"
        )
    if champion.spec.recipe is None:
        return (
            f"version {number} of {model} came without the recipe of its training, so it cannot be retrained here: "
            "have it retrained without these images where it was made, and adopt the result"
        )
    return None
