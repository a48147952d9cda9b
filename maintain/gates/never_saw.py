"""The gate `never-saw`: was this version trained without these cases?

Decided by digests and by what the loader counted, never by behaviour: it is exact at any size,
which is why it is the only proof for consent and data-subject requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain.gates.base import Evidence, judged, listed
from maintain.gates.consumption import SELECTING, handed_out, trained_on
from maintain.gates.proof import Training, proof_of
from maintain.records import Figure, GateRequest, GateResult
from maintain.vocabulary import Outcome, Role


@dataclass(frozen=True, slots=True)
class NeverSaw:
    """What was learned, recomputed from the loader's log."""

    request: GateRequest
    name: ClassVar[str] = "never-saw"

    def measure(self, evidence: Evidence) -> GateResult:
        """FAIL with every contradiction; NOT EVALUATED when the origin cannot be proven; else PASS."""
        log, manifest, spec = evidence.log, evidence.candidate_manifest, evidence.candidate_spec
        proof = proof_of(Training(log, manifest, spec, evidence.weights.initial), evidence)
        figures = _figures(evidence)
        if proof.contradicted:
            reasons = [*proof.contradicted, *proof.unproven]
            return judged(self.request, Outcome.FAIL, listed(reasons), figures)
        if proof.unproven:
            return judged(self.request, Outcome.NOT_EVALUATED, listed(list(proof.unproven)), figures)
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


def _figures(evidence: Evidence) -> tuple[Figure, ...]:
    excluded = evidence.roles.of(Role.FORGET)
    rows = [row for row in handed_out(evidence.log) if row.role not in SELECTING]
    patients = len({row.patient for row in excluded})
    return (
        Figure("cases excluded", float(len(excluded)), cases=len(excluded), patients=patients),
        Figure("cases learned", float(len(trained_on(evidence.log)))),
        Figure("times seen", float(sum(row.times_seen for row in rows))),
    )
