"""The gate `integrity`: is this candidate what it says it is?

It judges no behaviour. It recomputes every digest of the chain and compares what the loader counted
with what the plan allowed, so that the gates after it judge the right weights on the right cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain import codec
from maintain.gates.base import Evidence, RunFile, judged, listed
from maintain.gates.consumption import (
    HELD_OUT,
    KEEPING,
    SELECTING,
    copies,
    counted,
    group_of,
    handed_out,
    members,
    ref_of,
    refs,
)
from maintain.hashing import Digest, short
from maintain.records import Figure, GateRequest, GateResult, MethodRequest
from maintain.vocabulary import OriginKind, Outcome, Role

#: What must be the champion's own: otherwise the candidate is another model, not a revision.
SAME_AS_CHAMPION = (
    "model",
    "network",
    "input_shape",
    "head",
    "label_name",
    "label_order",
    "preprocessing",
    "public_checkpoint",
)


@dataclass(frozen=True, slots=True)
class Integrity:
    """Weights, digests, files, network and consumption of one candidate."""

    request: GateRequest
    name: ClassVar[str] = "integrity"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS, or FAIL with every reason there is; both ways this gate always knows."""
        reasons = [
            *_weights(evidence),
            *_chain(evidence),
            *_values(evidence),
            *_files(evidence),
            *_model(evidence),
            *_log(evidence),
            *_consumption(evidence),
        ]
        figures = (
            Figure("files checked", float(len(evidence.files))),
            Figure("training steps", float(evidence.log.steps)),
            Figure("cases handed out", float(len(refs(handed_out(evidence.log))))),
        )
        if reasons:
            return judged(self.request, Outcome.FAIL, listed(reasons), figures)
        return judged(self.request, Outcome.PASS, "Weights, digests, files and loader agree.", figures)

    def explain(self, result: GateResult) -> str:
        """What passed, or the whole list of what does not agree."""
        if result.outcome is Outcome.PASS:
            return (
                "The candidate is a changed, finite version of the champion's own network. Every file of"
                " its run folder has the digest that the run names, and the loader handed out what the plan"
                " allows."
            )
        return f"The candidate is not what it says it is: {result.reason} Nothing else about it can be trusted."


# --- private ---------------------------------------------------------------------------------------


def _weights(evidence: Evidence) -> list[str]:
    found, candidate = evidence.weights, evidence.candidate
    reasons = []
    if evidence.plan.champion.weights in (found.candidate, candidate.weights):
        reasons.append("the weights are the champion's, unchanged")
    if not found.finite:
        reasons.append("the weights, or what they answer, hold NaN or infinity")
    if found.candidate != candidate.weights:
        reasons.append(f"the weights file is {short(found.candidate)}, not {short(candidate.weights)}")
    if found.parent != evidence.plan.champion.weights:
        reasons.append("the champion's weights file is not the one the plan names")
    return reasons


def _chain(evidence: Evidence) -> list[str]:
    plan, candidate, slot = evidence.plan, evidence.candidate, evidence.slot
    said = {
        "the candidate names another plan": candidate.plan == evidence.plan_digest,
        "the candidate names other parent weights": candidate.parent_weights == plan.champion.weights,
        "the slot is none of the plan's": slot in plan.slots,
        "the candidate is of another slot": candidate.slot == slot.number,
        "the candidate's method or options are none of the slot's": (
            MethodRequest(candidate.method, candidate.options) in slot.methods
        ),
        "training began from other weights than the champion's": _began_here(evidence),
        "the log is of other weights": evidence.log.final_weights == candidate.weights,
        "log and manifest name different origins": evidence.log.origin == evidence.candidate_manifest.origin,
        "the candidate's network names another manifest": (evidence.candidate_spec.manifest == candidate.manifest),
    }
    return [reason for reason, holds in said.items() if not holds]


def _began_here(evidence: Evidence) -> bool:
    """Whether training that took over weights took over the champion's, by their name."""
    origin, champion = evidence.log.origin, evidence.plan.champion
    return origin.kind is not OriginKind.CHECKPOINT or (origin.weights, origin.manifest) == (
        champion.weights,
        champion.manifest,
    )


def _values(evidence: Evidence) -> list[str]:
    plan, candidate = evidence.plan, evidence.candidate
    named: tuple[tuple[str, object, Digest], ...] = (
        ("plan", plan, evidence.plan_digest),
        ("role table", evidence.roles, plan.roles),
        ("candidate", candidate, evidence.candidate_digest),
        ("candidate's network", evidence.candidate_spec, candidate.spec),
        ("candidate's manifest", evidence.candidate_manifest, candidate.manifest),
        ("loader log", evidence.log, candidate.loader_log),
        ("champion's network", evidence.champion_spec, plan.champion.spec),
        ("champion's manifest", evidence.champion_manifest, plan.champion.manifest),
    )
    return [
        f"the {what} does not have the digest that names it"
        for what, value, digest in named
        if codec.digest_of(value) != digest
    ]


def _files(evidence: Evidence) -> list[str]:
    plan, candidate = evidence.plan, evidence.candidate
    named = {
        RunFile.PLAN: candidate.plan,
        RunFile.ROLES: plan.roles,
        RunFile.CANDIDATE: evidence.candidate_digest,
        RunFile.WEIGHTS: candidate.weights,
        RunFile.SPEC: candidate.spec,
        RunFile.MANIFEST: candidate.manifest,
        RunFile.LOADER_LOG: candidate.loader_log,
    }
    checked = {check.name for check in evidence.files}
    reasons = [f"the run folder was not checked for its {name} file" for name in named if name not in checked]
    for check in evidence.files:
        if check.found is None:
            reasons.append(f"the run folder has no {check.name} file")
        elif check.found != check.expected:
            reasons.append(f"the {check.name} file has changed since it was named")
        if check.name in named and check.expected != named[RunFile(check.name)]:
            reasons.append(f"the {check.name} file was compared with a digest that no value names")
    return reasons


def _model(evidence: Evidence) -> list[str]:
    differing = [
        field.replace("_", " ")
        for field in SAME_AS_CHAMPION
        if getattr(evidence.candidate_spec, field) != getattr(evidence.champion_spec, field)
    ]
    reasons = [f"other {', '.join(differing)} than the champion"] if differing else []
    if {evidence.candidate_spec.model, evidence.candidate_manifest.model} != {evidence.plan.model}:
        reasons.append("network or manifest belong to another model than the plan")
    if evidence.candidate_spec.operating_threshold != evidence.champion_spec.operating_threshold:
        reasons.append("a new threshold is a change to approve, and nobody can approve one yet")
    return reasons


def _log(evidence: Evidence) -> list[str]:
    table = {row.ref for row in evidence.roles.rows}
    cases = {row.case_id for row in evidence.roles.rows}
    unknown = sum(row.case_id not in cases for row in evidence.log.rows)
    relabelled = sum(row.case_id in cases and ref_of(row) not in table for row in evidence.log.rows)
    malformed = sum(row.times_seen < 0 for row in evidence.log.rows)
    return [
        f"{counted(number, 'row')} of the log {what}"
        for number, what in (
            (unknown, "of cases that the plan does not know"),
            (relabelled, "with a label version that the plan does not know"),
            (malformed, "with a negative count"),
        )
        if number
    ]


def _consumption(evidence: Evidence) -> list[str]:
    rows = handed_out(evidence.log)
    kept = refs(row for row in rows if row.role in KEEPING)
    forgotten = refs(row for row in rows if row.role is Role.FORGET)
    selecting = refs(row for row in rows if row.role in SELECTING)
    held_out = frozenset(row.ref for row in evidence.roles.of(*HELD_OUT))
    planned = frozenset(row.ref for row in evidence.roles.of(Role.FORGET))
    allowed = frozenset(row.ref for row in evidence.roles.of(Role.RETAIN))
    group = group_of(evidence.roles, evidence.plan.reason, Role.FORGET)
    declared = planned if evidence.consumes_forget else frozenset()
    return [
        f"{counted(number, 'case')} {what}"
        for number, what in (
            (members(kept, group), "of the forget set among the retained ones that were handed out"),
            (copies(kept, group, evidence.roles), "handed out that are exact copies of forgotten ones"),
            (
                sum(ref not in allowed and not group.holds(ref) for ref in kept),
                "learned but not to be retained",
            ),
            (len(declared - forgotten), "of the forget set that the method should have consumed"),
            (len(forgotten - declared), "consumed as forget cases beyond what the method declares"),
            (members(selecting, group), "of the forget set among those that checkpoints were chosen with"),
            (len(refs(rows) & held_out), "of the holdout handed out before the verdict"),
        )
        if number
    ]
