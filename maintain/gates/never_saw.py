"""The gate `never-saw`: was this version trained without these cases?

Decided by digests and by what the loader counted, never by behaviour: it is exact at any size,
which is why it is the only proof for consent and data-subject requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain.gates.base import Evidence, judged, listed
from maintain.gates.consumption import SELECTING, copies, counted, group_of, handed_out, members, trained_on
from maintain.gates.descent import Descent, descent
from maintain.records import Figure, GateRequest, GateResult
from maintain.vocabulary import ManifestStatus, OriginKind, Outcome, Role

#: Who must not be learned: the forget set, and whoever matches the policy or is no longer usable.
EXCLUDED = (Role.FORGET, Role.NEVER_SEEN, Role.NEVER_SEEN_VALIDATION, Role.SUPPRESSED)

#: Who must not have chosen a checkpoint either. The policy's own validation cases may: see `Role`.
UNUSABLE = (Role.FORGET, Role.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class NeverSaw:
    """What was learned, recomputed from the loader's log."""

    request: GateRequest
    name: ClassVar[str] = "never-saw"

    def measure(self, evidence: Evidence) -> GateResult:
        """FAIL with every contradiction; NOT EVALUATED when the origin cannot be proven; else PASS."""
        line = descent(evidence)
        contradicted, unproven = _origin(evidence)
        reasons = [*_learned(evidence), *_manifest(evidence, line), *_inherited(evidence, line), *contradicted]
        unproven += [*line.breaks, *_unknown(evidence, line)]
        figures = _figures(evidence)
        if reasons:
            return judged(self.request, Outcome.FAIL, listed(reasons + unproven), figures)
        if unproven:
            return judged(self.request, Outcome.NOT_EVALUATED, listed(unproven), figures)
        return judged(self.request, Outcome.PASS, "No excluded case was ever handed out.", figures)

    def explain(self, result: GateResult) -> str:
        """What may be said of this version, and why."""
        if result.outcome is Outcome.PASS:
            return (
                "This version was not trained on these cases. It began from random weights that its seed gives"
                " again, or from a version whose manifests back to random weights exclude them, and the loader,"
                " which no method can write, counted every case it handed out."
            )
        word = "was" if result.outcome is Outcome.FAIL else "may have been"
        return f"This version {word} trained on these cases, or its records do not agree: {result.reason}"


# --- private ---------------------------------------------------------------------------------------


def _learned(evidence: Evidence) -> list[str]:
    trained = trained_on(evidence.log)
    group = group_of(evidence.roles, evidence.plan.reason, *EXCLUDED)
    reasons = [] if trained else ["the loader handed out nothing to learn from"]
    if number := members(trained, group):
        reasons.append(f"{counted(number, 'excluded case')} handed out in training")
    if number := copies(trained, group, evidence.roles):
        reasons.append(f"{counted(number, 'exact copy', 'exact copies')} of excluded cases handed out")
    return reasons


def _inherited(evidence: Evidence, line: Descent) -> list[str]:
    """Excluded cases that are in the weights because a version before this one learned them."""
    group = group_of(evidence.roles, evidence.plan.reason, *EXCLUDED)
    reasons = []
    if number := members(line.known, group):
        reasons.append(f"{counted(number, 'excluded case')} learned by a version that training began from")
    if number := copies(line.known, group, evidence.roles):
        reasons.append(f"{counted(number, 'exact copy', 'exact copies')} of excluded cases learned by such a version")
    return reasons


def _unknown(evidence: Evidence, line: Descent) -> list[str]:
    """Cases an ancestor learned of which the plan cannot tell whether they are excluded ones."""
    planned = {row.ref for row in evidence.roles.rows}
    group = group_of(evidence.roles, evidence.plan.reason, *EXCLUDED)
    number = sum(ref not in planned and not group.holds(ref) for ref in line.known)
    if not number:
        return []
    return [f"the plan does not know {counted(number, 'case')} learned by a version that training began from"]


def _manifest(evidence: Evidence, line: Descent) -> list[str]:
    trained, manifest = trained_on(evidence.log), evidence.candidate_manifest
    learned = frozenset(manifest.learned)
    unusable = group_of(evidence.roles, evidence.plan.reason, *UNUSABLE)
    selected = frozenset(manifest.selected_with)
    seen = {(row.case_id, row.label_version) for row in handed_out(evidence.log) if row.role in SELECTING}
    unlisted = seen - {(ref.case_id, ref.label_version) for ref in selected}
    fresh = evidence.log.origin.kind is OriginKind.INITIALISATION
    return [
        f"{counted(number, 'case')} {what}"
        for number, what in (
            (len(trained - learned), "handed out that the manifest does not list as learned"),
            (len(learned - trained - line.known), "listed as learned that the loader never handed out"),
            (len(manifest.learned) - len(learned), "listed as learned twice"),
            (len(manifest.unlearned) if fresh else 0, "listed as unlearned by a version that starts afresh"),
            (members(selected, unusable), "listed as selected with, though to be forgotten or suppressed"),
            (len(unlisted), "used to choose a checkpoint that the manifest does not list"),
        )
        if number
    ]


def _origin(evidence: Evidence) -> tuple[list[str], list[str]]:
    origin, recipe = evidence.log.origin, evidence.candidate_spec.recipe
    contradicted: list[str] = []
    unproven: list[str] = []
    if evidence.candidate_manifest.status is not ManifestStatus.PROVEN:
        unproven.append(f"the manifest is {evidence.candidate_manifest.status}, not proven")
    if origin.kind is OriginKind.CHECKPOINT:
        return contradicted, unproven
    if recipe is None:
        unproven.append("there is no recipe to say what the training began from")
    elif origin.weights != recipe.initial_weights:
        contradicted.append("training began from other weights than the recipe's")
    if evidence.weights.initial is None:
        unproven.append("the initial weights could not be made again from the recipe's seed")
    elif origin.weights != evidence.weights.initial:
        contradicted.append("the recipe's seed gives other initial weights than training began from")
    return contradicted, unproven


def _figures(evidence: Evidence) -> tuple[Figure, ...]:
    excluded = evidence.roles.of(Role.FORGET)
    rows = [row for row in handed_out(evidence.log) if row.role not in SELECTING]
    patients = len({row.patient for row in excluded})
    return (
        Figure("cases excluded", float(len(excluded)), cases=len(excluded), patients=patients),
        Figure("cases learned", float(len(trained_on(evidence.log)))),
        Figure("times seen", float(sum(row.times_seen for row in rows))),
    )
