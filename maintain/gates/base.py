"""What every gate is given, and what a gate is.

A gate looks at `Evidence` alone: frozen values, digests that the verify stage recomputed from the
files, and measurements. It cannot open the holdout or a weights file itself, so a look is counted
in one place and a verdict can be recomputed by an auditor from the run folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from maintain.errors import InputError
from maintain.gates.deciding import requests_of
from maintain.hashing import Digest
from maintain.records import (
    Candidate,
    Difficulty,
    Figure,
    GateRequest,
    GateResult,
    LoaderLog,
    Measurements,
    ModelSpec,
    Plan,
    RoleTable,
    Slot,
    Strata,
    TrainingManifest,
)
from maintain.vocabulary import Outcome


class RunFile(StrEnum):
    """The files without which a run folder is not complete, by the name of their `FileCheck`."""

    PLAN = "plan"
    """Named by `Candidate.plan`."""
    ROLES = "roles"
    """Named by `Plan.roles`."""
    CANDIDATE = "candidate"
    """The last value before the verdict."""
    WEIGHTS = "weights"
    """Named by `Candidate.weights`."""
    SPEC = "spec"
    """Named by `Candidate.spec`."""
    MANIFEST = "manifest"
    """Named by `Candidate.manifest`."""
    LOADER_LOG = "loader-log"
    """Named by `Candidate.loader_log`."""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of the run folder: the digest a value names, and the one found (None: no such file)."""

    name: str
    expected: Digest
    found: Digest | None


@dataclass(frozen=True, slots=True)
class WeightsCheck:
    """What was recomputed from weights: digests of both files, and the initial ones by their seed.

    `initial` is None when the recipe could not be replayed; nobody may put a digest there that was
    only read.
    """

    candidate: Digest
    parent: Digest
    finite: bool
    initial: Digest | None = None


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A registered version whose weights others started from, and what it learned from."""

    weights: Digest
    manifest: TrainingManifest


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """A model that never saw the forget group, with what proves it.

    `initial` is drawn again from its seed, as for a candidate; `found` is the digest of its weights file as it lies.
    """

    weights: Digest
    found: Digest
    spec: ModelSpec
    manifest: TrainingManifest
    log: LoaderLog
    initial: Digest | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that gates may look at, for one candidate in one slot.

    `consumes_forget` is what the method declares: every forget case goes through its loader, or none; `anew`
    whether it trains from random weights on retained cases alone, so that digests decide and not behaviour.
    `ancestors` are the versions that the champion's weights go back to, as far as the registry has them, and
    `first` the weights of the lineage's first version. Answers after recomputed batch statistics are filed under
    `recalibrated`: the candidate's own digest where its network has none. `probe` are figures of linear probes.
    """

    plan: Plan
    plan_digest: Digest
    roles: RoleTable
    slot: Slot
    candidate: Candidate
    candidate_digest: Digest
    champion_spec: ModelSpec
    candidate_spec: ModelSpec
    champion_manifest: TrainingManifest
    candidate_manifest: TrainingManifest
    log: LoaderLog
    measurements: Measurements
    weights: WeightsCheck
    files: tuple[FileCheck, ...]
    consumes_forget: bool = False
    anew: bool = False
    ancestors: tuple[Ancestor, ...] = ()
    difficulty: Difficulty | None = None
    strata: Strata | None = None
    first: Digest | None = None
    recalibrated: Digest | None = None
    references: tuple[ReferenceCheck, ...] = ()
    probe: tuple[Figure, ...] = ()

    @property
    def requests(self) -> tuple[GateRequest, ...]:
        """The gates that are asked of this candidate, and which of them decide."""
        return requests_of(self.plan, anew=self.anew)


class Gate(Protocol):
    """One check with a threshold, made from the request of a plan."""

    @property
    def name(self) -> str:
        """The name it has in the table of gates."""
        ...

    def measure(self, evidence: Evidence) -> GateResult:
        """What the evidence shows. Raises `NotEvaluatedError` when it shows nothing either way."""
        ...

    def explain(self, result: GateResult) -> str:
        """The result in sentences for a reader who does not know the gate."""
        ...


def number(request: GateRequest, option: str) -> float:
    """The value of a numeric option. Raises `InputError`: a request has every option resolved."""
    for setting in request.options:
        if setting.name == option and type(setting.value) in (int, float):
            return float(setting.value)
    raise InputError(
        f"The plan asks for the gate {request.name!r} without a number for {option!r}.",
        remedy="Make the plan again: planning resolves every option of every gate.",
    )


def judged(request: GateRequest, outcome: Outcome, reason: str, figures: tuple[Figure, ...] = ()) -> GateResult:
    """The result of a request; whether it is decisive is the plan's word, never the gate's."""
    return GateResult(request.name, outcome, request.decisive, reason, figures)


def listed(reasons: list[str]) -> str:
    """Every reason in one sentence: the first hides none of the others."""
    return "; ".join(reasons) + "."
