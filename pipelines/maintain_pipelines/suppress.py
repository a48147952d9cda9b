"""Suppression without a training: what a run does when no serving version learned from any match.

The cases may still be waiting to be used by the next snapshot, so they are barred all the same,
and the ledger says so.
"""

from __future__ import annotations

from maintain.cohort import CohortStore, Selected, commitment, suppress
from maintain.database import UnitOfWork
from maintain.records import Plan
from maintain_pipelines.context import Context
from maintain_registry import Event, EventKind


def suppress_only(unit: UnitOfWork, run: str, plan: Plan, matches: tuple[Selected, ...], context: Context) -> int:
    """Bar every match from later use and record it. Returns how many cases are newly barred."""
    cases = tuple(match.case for match in matches)
    patients = tuple(sorted({case.patient for case in cases}))
    count = suppress(unit, cases, reason=plan.reason, policy=plan.policy, model=plan.model, now=context.clock.now())
    salts = CohortStore(unit).salts(patients)
    body = {
        "run": run,
        "reason": plan.reason.value,
        "policy_name": plan.policy_name,
        "cases": len(cases),
        "newly_suppressed": count,
        "patients": sorted(commitment(salts[patient], patient) for patient in patients if patient in salts),
    }
    context.ledger.append(unit, Event(EventKind.CASES_SUPPRESSED, subject=plan.model, body=body))
    return count
