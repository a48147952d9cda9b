"""The report as a value, assembled from records only.

It says what was claimed, what was proven and what was not; it never says more than its gates. Cases
appear by keyed identifiers, patients only as counts, pixels not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maintain.hashing import Digest
from maintain.records import (
    Candidate,
    GateResult,
    LoaderLog,
    Plan,
    Registration,
    RoleTable,
    TrainingManifest,
    Verdict,
)
from maintain.report.cautions import cautions
from maintain.report.shown import Shown, nothing_shown
from maintain.vocabulary import Claim, Outcome, Role, RunState

#: What each claim lets the report say when every gate passed, and nothing beyond it.
SENTENCES = {
    Claim.NEVER_SAW: "This version was not trained on the excluded cases.",
    Claim.EXAMPLES: "The excluded cases can no longer be told from cases the model never saw.",
    Claim.GROUP: "On this group the model behaves as one that never learned from it.",
}

#: What a withdrawn label may be said to be: a masked output passes the same gate.
OUTPUT_ONLY = "The withdrawn label is no longer given to its cases. This is output behaviour only."

#: What may be said beside a claim that was met by a model trained anew.
TRAINED_ANEW = "It was trained anew without them, so digests prove it; behaviour is reported and decided nothing."

#: What each ending means, for somebody who reads only one line.
ENDINGS = {
    RunState.REGISTERED: "The revised version is registered.",
    RunState.REJECTED: "A gate failed. Nothing was registered; the champion serves on.",
    RunState.UNDECIDED: "A gate could not be evaluated. Nothing was registered; the champion serves on.",
    RunState.NOTHING_TO_DO: "The serving version learned nothing that the policy forgets. Nothing was trained.",
    RunState.FAILED: "The run ended with an error. Nothing was registered; the champion serves on.",
    RunState.ABANDONED: "The run was given up. Nothing was registered; the champion serves on.",
}

#: A report that was put together from records alone.
NOT_ASSEMBLED = nothing_shown("Only the records of this run were read.")


@dataclass(frozen=True, slots=True)
class ExcludedCase:
    """One case of the forget set: why it is there, and how often training saw it."""

    case_id: str
    label_version: int
    reason: str
    times_seen: int | None


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One value of the path with the digest by which the next one names it."""

    name: str
    digest: Digest
    says: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A candidate of an earlier slot, and why it was not released."""

    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run stands when its report is written."""

    run: str
    state: RunState
    started: str
    written: str
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page shows. `told` are the sentences that each gate says of its own result.

    `cautions` are what may not be concluded; `shown` is everything that is computed and not a record.
    """

    ending: Ending
    headline: str
    claim_sentence: str | None
    plan: Plan
    plan_digest: Digest
    candidate: Candidate | None
    verdict: Verdict | None
    registration: Registration | None
    gates: tuple[GateResult, ...]
    excluded: tuple[ExcludedCase, ...]
    learned: int | None
    shares: tuple[tuple[str, int, int], ...]
    chain: tuple[ChainLink, ...]
    attempts: tuple[Attempt, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    shown: Shown = NOT_ASSEMBLED

    @property
    def proven(self) -> bool:
        """Whether the claim may be stated as a fact."""
        return self.claim_sentence is not None

    @property
    def refusing(self) -> tuple[GateResult, ...]:
        """The gates that decided and did not pass: why nothing is claimed."""
        return tuple(gate for gate in self.gates if gate.decisive and gate.outcome is not Outcome.PASS)


def build_report(
    ending: Ending,
    *,
    plan: Plan,
    plan_digest: Digest,
    roles: RoleTable,
    candidate: Candidate | None = None,
    manifest: TrainingManifest | None = None,
    log: LoaderLog | None = None,
    verdict: Verdict | None = None,
    registration: Registration | None = None,
    attempts: tuple[Attempt, ...] = (),
    told: Mapping[str, str] | None = None,
    shown: Shown = NOT_ASSEMBLED,
) -> Report:
    """Assemble a report from whatever a run left behind."""
    passed = verdict is not None and verdict.outcome is Outcome.PASS
    proven = passed and registration is not None and ending.state is RunState.REGISTERED
    headline = ENDINGS.get(ending.state, f"The run is {ending.state}.")
    return Report(
        ending=ending,
        headline=headline,
        claim_sentence=_sentence(plan, verdict) if proven and verdict else None,
        plan=plan,
        plan_digest=plan_digest,
        candidate=candidate,
        verdict=verdict,
        registration=registration,
        gates=verdict.gates if verdict else (),
        excluded=_excluded(roles, log),
        learned=len(manifest.learned) if manifest else None,
        shares=tuple((count.role.value, count.cases, count.patients) for count in plan.counts),
        chain=_chain(plan, plan_digest, candidate, verdict, registration),
        attempts=attempts,
        told=told or {},
        cautions=cautions(plan, ending.state, candidate, verdict),
        shown=shown,
    )


# --- private ---------------------------------------------------------------------------------------


def _sentence(plan: Plan, verdict: Verdict) -> str:
    decided = {gate.gate for gate in verdict.gates if gate.decisive}
    if "zero" in decided:
        return OUTPUT_ONLY
    anew = plan.claim is not Claim.NEVER_SAW and "never-saw" in decided
    return f"{SENTENCES[plan.claim]} {TRAINED_ANEW}" if anew else SENTENCES[plan.claim]


def _excluded(roles: RoleTable, log: LoaderLog | None) -> tuple[ExcludedCase, ...]:
    seen: dict[str, int] = {}
    for row in log.rows if log else ():
        seen[row.case_id] = seen.get(row.case_id, 0) + row.times_seen
    return tuple(
        ExcludedCase(row.case_id, row.label_version, row.reason, seen.get(row.case_id, 0) if log else None)
        for row in roles.of(Role.FORGET)
    )


def _chain(
    plan: Plan,
    plan_digest: Digest,
    candidate: Candidate | None,
    verdict: Verdict | None,
    registration: Registration | None,
) -> tuple[ChainLink, ...]:
    champion = f"version {plan.champion.version} of {plan.model}"
    links = [
        ChainLink("policy", plan.policy, plan.policy_name),
        ChainLink("champion", plan.champion.weights, f"weights of {champion}"),
        ChainLink("training manifest", plan.champion.manifest, f"what {champion} learned from"),
        ChainLink("roles", plan.roles, "every case of the plan, its role and the reason"),
        ChainLink("plan", plan_digest, "what was going to happen"),
    ]
    if candidate:
        links += [
            ChainLink("candidate", candidate.weights, f"weights made by {candidate.told}"),
            ChainLink("loader log", candidate.loader_log, "every case that training was handed, counted"),
            ChainLink("candidate's manifest", candidate.manifest, "what the candidate says it learned from"),
        ]
    if verdict:
        links.append(ChainLink("measurements", verdict.measurements, "the answers the gates were given"))
    if registration:
        entry = f"ledger entry {registration.entry}"
        links.append(ChainLink(entry, registration.entry_hash, "signed, and chained to every entry before it"))
    return tuple(links)
