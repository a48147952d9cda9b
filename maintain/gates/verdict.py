"""The fold: many gate results in, one outcome and its reason out.

Fails closed: a gate that was asked for and left no result counts as not evaluated, and so does a
side (integrity, forgetting, retention) that no decisive gate guards.
"""

from __future__ import annotations

from collections.abc import Callable

from maintain.errors import InputError
from maintain.gates.options import GATES, GateInfo
from maintain.records import GateRequest, GateResult
from maintain.vocabulary import Claim, Outcome

#: The gate without which no digest of a run can be trusted.
INTEGRITY = "integrity"

#: The gate that proves every claim: a version that never saw the cases has nothing to forget.
NEVER_SAW = "never-saw"


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
    sides: tuple[tuple[str, Callable[[GateInfo], bool]], ...] = (
        ("integrity", lambda info: info.name == INTEGRITY),
        ("retention", lambda info: info.retention),
        (f"the claim {claim}", lambda info: _proves(info, claim)),
    )
    guarding = [GATES[name] for name in sorted(decisive & present) if name in GATES]
    said += [f"No decisive gate guards {side}." for side, guards in sides if not any(map(guards, guarding))]
    return said


def _proves(info: GateInfo, claim: Claim) -> bool:
    return info.forgetting and (claim in info.claims or info.name == NEVER_SAW)


def _told(word: str, results: list[GateResult]) -> str:
    return f"{word.capitalize()}: " + " | ".join(f"{result.gate}: {result.reason}" for result in results)
