"""The gate `bn-recalibration`: do the forgetting gates still hold once batch statistics are computed anew?

Forgetting may sit in the running means of batch normalisation alone, and leave as soon as somebody recomputes them
on retained cases. So the gates of the claim are asked again of the network after that, by their own limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence, judged, number
from maintain.gates.finding import Finding, explained
from maintain.gates.held_out import gap_finding
from maintain.gates.membership import attack_finding
from maintain.gates.reference import reference_finding
from maintain.gates.zero import zero_finding
from maintain.hashing import Digest
from maintain.records import GateRequest, GateResult
from maintain.vocabulary import Outcome


@dataclass(frozen=True, slots=True)
class BnRecalibration:
    """The forgetting gates of the plan, asked of the candidate with batch statistics computed anew."""

    request: GateRequest
    name: ClassVar[str] = "bn-recalibration"

    def measure(self, evidence: Evidence) -> GateResult:
        """The worst outcome of the gates asked again; PASS for a network without batch normalisation.

        Raises `NotEvaluatedError` where nothing was recalibrated, or the plan has none of these gates.
        """
        weights = evidence.recalibrated
        if weights is None:
            raise NotEvaluatedError(
                "The candidate was not asked again after its batch statistics were computed anew.",
                remedy="Run the verify stage again.",
            )
        if weights == evidence.candidate.weights:
            reason = "There is no batch normalisation, so this does not apply."
            return judged(self.request, Outcome.PASS, reason)
        asked = [request for request in evidence.plan.gates if request.name in _AGAIN]
        if not asked:
            raise NotEvaluatedError(
                "The plan has no gate of forgotten behaviour that could be asked again.",
                remedy="Plan again with `gates: default`.",
            )
        return _folded({one.name: _found(one, evidence, weights) for one in asked}).result(self.request)

    def explain(self, result: GateResult) -> str:
        """What was recomputed, and whether anything came back."""
        asked = (
            "Asked: does the revised model still not know the forgotten images after the averages inside its network"
            " are computed anew from images it may keep, as anybody who has it could do?"
        )
        return explained(
            asked,
            result,
            passed="It does not:",
            failed="What was forgotten comes back, or cannot be judged:",
        )


# --- private ---------------------------------------------------------------------------------------

_Again: TypeAlias = Callable[[GateRequest, Evidence, Digest], Finding]


def _held_out(request: GateRequest, evidence: Evidence, weights: Digest) -> Finding:
    return gap_finding(evidence, weights, margin=number(request, "margin"))


def _membership(request: GateRequest, evidence: Evidence, weights: Digest) -> Finding:
    """The average attack only: its tail would be drawn a second time, and fails one honest retrain in six then."""
    return attack_finding(evidence, weights, margin=number(request, "margin"), tail=None)


def _reference(request: GateRequest, evidence: Evidence, weights: Digest) -> Finding:
    margin, spread = number(request, "margin"), number(request, "spread")
    return reference_finding(evidence, weights, margin=margin, spread=spread)


def _zero(request: GateRequest, evidence: Evidence, weights: Digest) -> Finding:
    return zero_finding(evidence, weights, limit=number(request, "limit"))


#: The gates that are asked again: feasibility.md §4, row `bn-recalibration`.
_AGAIN: Mapping[str, _Again] = {
    "held-out": _held_out,
    "membership": _membership,
    "reference": _reference,
    "zero": _zero,
}


def _found(request: GateRequest, evidence: Evidence, weights: Digest) -> Finding:
    """What one gate finds; what it cannot evaluate hides no failure of another."""
    try:
        return _AGAIN[request.name](request, evidence, weights)
    except NotEvaluatedError as error:
        return Finding((), (f"{error.message} {error.remedy}".rstrip("."),), "")


def _folded(found: Mapping[str, Finding]) -> Finding:
    return Finding(
        failed=tuple(f"{name}: {reason}" for name, one in found.items() for reason in one.failed),
        unshown=tuple(f"{name}: {reason}" for name, one in found.items() for reason in one.unshown),
        passed=f"After recalibration these still hold: {', '.join(found)}.",
        figures=tuple(
            replace(figure, name=f"{name}: {figure.name}")
            for name, one in found.items()
            for figure in one.figures
            if figure.low is not None
        ),
    )
