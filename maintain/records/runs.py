"""The values of a run, from plan to registration, each naming the digest of the one before it."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.hashing import Digest
from maintain.records.cohort import CaseRef
from maintain.records.models import Origin, Setting
from maintain.vocabulary import Alias, Claim, Outcome, Precision, Reason, Role

#: How a candidate is labelled whose weights validation answers chose, and one whose weights they did not.
TUNED, BLIND = "tuned", "blind"


@dataclass(frozen=True, slots=True)
class ChampionRef:
    """The serving version that a plan revises."""

    version: int
    weights: Digest
    spec: Digest
    manifest: Digest


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and in which numbers a run computes. The same weights are promised only where all of this is equal."""

    machine: str
    processor: str
    device: str
    threads: int
    python: str
    torch: str
    maintain: str
    precision: Precision


@dataclass(frozen=True, slots=True)
class MethodRequest:
    """A method that the policy asks for, with every option resolved."""

    name: str
    options: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One chance at the holdout: the methods searched for it, in order, and the level of its retention.

    A method stands there once for each combination of its options that is tried. The first that passes on
    validation takes the slot; the last one always can.
    """

    number: int
    methods: tuple[MethodRequest, ...]
    alpha: float

    def differing(self, request: MethodRequest) -> tuple[Setting, ...]:
        """The options in which a request differs from others of the slot by the same method."""
        others = [set(other.options) for other in self.methods if other.name == request.name]
        return tuple(setting for setting in request.options if any(setting not in other for other in others))

    def told(self, request: MethodRequest) -> str:
        """What people call a request of this slot: its method, with the options that tell it from others."""
        return _told(request.name, self.differing(request))


@dataclass(frozen=True, slots=True)
class GateRequest:
    """A gate that the policy asks for, with every option resolved."""

    name: str
    options: tuple[Setting, ...]
    decisive: bool


@dataclass(frozen=True, slots=True)
class RoleCount:
    """How many cases, patients and studies have a role."""

    role: Role
    cases: int
    patients: int


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case of a plan: its role, and the rule that gave it that role."""

    case_id: str
    label_version: int
    label: str
    patient: str
    pixels: Digest
    role: Role
    reason: str

    @property
    def ref(self) -> CaseRef:
        """What a manifest lists of it."""
        return CaseRef(self.case_id, self.label_version)


@dataclass(frozen=True, slots=True)
class RoleTable:
    """Every case of a plan with its role, ordered by case."""

    rows: tuple[PlannedCase, ...]

    def of(self, *roles: Role) -> tuple[PlannedCase, ...]:
        """The cases that have one of these roles."""
        return tuple(row for row in self.rows if row.role in roles)


@dataclass(frozen=True, slots=True)
class Match:
    """One case that a policy matched, whoever learned from it, and the rule that matched it."""

    case_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class MatchTable:
    """Every match of a policy when its plan was made: what a registration suppresses."""

    rows: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen, to whom, and why. The cases are in the role table, by digest; so are declared groups."""

    policy: Digest
    policy_name: str
    reason: Reason
    claim: Claim
    model: str
    champion: ChampionRef
    roles: Digest
    counts: tuple[RoleCount, ...]
    slots: tuple[Slot, ...]
    gate_set: str
    gates: tuple[GateRequest, ...]
    seed: int
    budget_steps: int
    alias: Alias
    environment: Environment
    strata: Digest | None = None

    def count(self, role: Role) -> RoleCount:
        """The count of one role; zero when no case has it."""
        return next((count for count in self.counts if count.role is role), RoleCount(role, 0, 0))


@dataclass(frozen=True, slots=True)
class LoaderRow:
    """How often the loader handed out one case, and as what."""

    role: Role
    case_id: str
    label_version: int
    times_seen: int


@dataclass(frozen=True, slots=True)
class LoaderLog:
    """What a training really consumed: counted by the loader, which no method can write."""

    origin: Origin
    final_weights: Digest
    steps: int
    rows: tuple[LoaderRow, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a gate or of the search: the estimate, its bounds, and the limit it is held against."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    cases: int | None = None
    patients: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the search: which method was looked at, why it went on or was left, and by what figures.

    `differing` are the options that tell it from other lines of its method. `tuned` says whether validation answers
    had a say in which weights these are: at looks within the training, or because others were measured and left
    before. None where there were no weights, and in records that did not say it yet.
    """

    method: str
    chosen: bool
    reason: str
    steps: int = 0
    figures: tuple[Figure, ...] = ()
    differing: tuple[Setting, ...] = ()
    tuned: bool | None = None

    @property
    def told(self) -> str:
        """What people call it: its method, with the options that tell it from others."""
        return _told(self.method, self.differing)

    @property
    def label(self) -> str:
        """`tuned` or `blind`; nothing where there were no weights."""
        return "" if self.tuned is None else TUNED if self.tuned else BLIND


@dataclass(frozen=True, slots=True)
class Candidate:
    """Revised weights that are not registered, and what they claim to have been made from."""

    plan: Digest
    slot: int
    method: str
    options: tuple[Setting, ...]
    weights: Digest
    spec: Digest
    manifest: Digest
    loader_log: Digest
    parent_weights: Digest
    decisions: tuple[Decision, ...]

    @property
    def chosen(self) -> Decision | None:
        """The decision that let this candidate go on."""
        return next((decision for decision in self.decisions if decision.chosen), None)

    @property
    def told(self) -> str:
        """What people call it: its method, with the options that tell it from others, and whether it was tuned."""
        if self.chosen is None:
            return self.method
        return ", ".join(filter(None, (_told(self.method, self.chosen.differing), self.chosen.label)))


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one set of weights answered for one case."""

    weights: Digest
    case_id: str
    role: Role
    patient: str
    label: tuple[int, ...]
    label_mask: tuple[bool, ...]
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """A row per (weights, case): all that the gates may look at."""

    rows: tuple[Measurement, ...]

    def of(self, weights: Digest, *roles: Role) -> tuple[Measurement, ...]:
        """The rows of one set of weights, of these roles."""
        return tuple(row for row in self.rows if row.weights == weights and row.role in roles)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate found. A result that is not decisive is reported and changes nothing."""

    gate: str
    outcome: Outcome
    decisive: bool
    reason: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fold of all gates. `look` counts how often this lineage's holdout has been opened.

    `difficulty` names the table of proxy figures, `references` the weights of the models it was held against.
    """

    candidate: Digest
    slot: int
    outcome: Outcome
    reason: str
    gates: tuple[GateResult, ...]
    measurements: Digest
    look: int
    difficulty: Digest | None = None
    references: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """A version that exists, with the ledger entry that says so."""

    verdict: Digest
    model: str
    version: int
    weights: Digest
    alias: Alias
    entry: int
    entry_hash: Digest


@dataclass(frozen=True, slots=True)
class Erased:
    """What stands in the place of a file that listed a person's images: the digest of what lay there, and why not."""

    sha256: Digest
    request: str
    entry: int
    erased: str


# --- private ---------------------------------------------------------------------------------------


def _told(method: str, differing: tuple[Setting, ...]) -> str:
    options = ", ".join(f"{setting.name} {setting.value}" for setting in differing)
    return f"{method} ({options})" if options else method
