"""From the name of a gate to what it found: the only place that loads gate classes.

Every gate of a plan leaves a result. A figure that could not be computed is NOT EVALUATED; any
other error is not a finding about the candidate and ends the run.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from maintain.errors import InputError, NotEvaluatedError
from maintain.gates.base import Evidence, Gate, judged
from maintain.gates.options import gate_info
from maintain.records import GateRequest, GateResult
from maintain.vocabulary import Outcome


def evaluate(evidence: Evidence) -> tuple[GateResult, ...]:
    """One result for each gate of the plan, in its order. Raises `InputError` when it has none."""
    if not evidence.requests:
        raise InputError(
            "The plan names no gate, so nothing could be shown.",
            remedy="Plan again with `gates: default`, or name the gates in the policy.",
        )
    return tuple(_result(request, evidence) for request in evidence.requests)


def build(request: GateRequest) -> Gate:
    """The gate that a request names. Raises `UnknownNameError`."""
    module, _, attribute = gate_info(request.name).target.partition(":")
    made: Callable[[GateRequest], Gate] = getattr(import_module(module), attribute)
    return made(request)


# --- private ---------------------------------------------------------------------------------------


def _result(request: GateRequest, evidence: Evidence) -> GateResult:
    try:
        return build(request).measure(evidence)
    except NotEvaluatedError as error:
        return judged(request, Outcome.NOT_EVALUATED, f"{error.message} {error.remedy}")
