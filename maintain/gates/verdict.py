"""The fold: many gate results in, one outcome and its reason out.

Fails closed: a gate that was asked for and left no result counts as not evaluated, and so does a
side (integrity, forgetting, retention) that no decisive gate guards.
"""

from __future__ import annotations

from maintain.errors import InputError
from maintain.gates.options import GATES, PROOFS
from maintain.records import GateRequest, GateResult
from maintain.vocabulary import Claim, Outcome

#: The gate without which no digest of a run can be trusted.
INTEGRITY = "integrity"


def fold(results: tuple[GateResult, ...], *, claim: Claim, requested: tuple[GateRequest, ...]) -> tuple[Outcome, str]:
    """One outcome and its reason. Raises `InputError` when there are no results at all."""
    if not results:
        raise InputError(
            "A verdict needs at least one gate result.",
            remedy="Run the verify stage again; a plan without gates is never a pass.",
        )
    decisive = {request.name for request in requested if request.decisive}
    deciding = [result for result in results if result.decisive or result.gate in decisive]
    failed = [result for result in deciding if result.outcome is Outcome.FAIL]
    if failed:
        return Outcome.FAIL, _told("failed", failed)
    open_ends = [result for result in deciding if result.outcome is not Outcome.PASS]
    missing = _missing(results, claim, requested, decisive)
    if open_ends or missing:
        said = [_told("not evaluated", open_ends)] if open_ends else []
        return Outcome.NOT_EVALUATED, " ".join([*said, *missing])
    return Outcome.PASS, f"Every decisive gate passed: {', '.join(result.gate for result in deciding)}."


# --- private ---------------------------------------------------------------------------------------


def _missing(
    results: tuple[GateResult, ...], claim: Claim, requested: tuple[GateRequest, ...], decisive: set[str]
) -> list[str]:
    present = {result.gate for result in results}
    absent = [request.name for request in requested if request.name not in present]
    said = [f"No result from {', '.join(absent)}."] if absent else []
    guarding = decisive & present
    sides = (
        ("integrity", INTEGRITY in guarding),
        ("retention", any(GATES[name].retention for name in guarding if name in GATES)),
        (f"the claim {claim}", any(guarding.issuperset(proof) for proof in PROOFS[claim])),
    )
    return said + [f"No decisive gate guards {side}." for side, guarded in sides if not guarded]


def _told(word: str, results: list[GateResult]) -> str:
    return f"{word.capitalize()}: " + " | ".join(f"{result.gate}: {result.reason}" for result in results)
