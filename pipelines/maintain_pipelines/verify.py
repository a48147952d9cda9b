"""Candidate -> Verdict: the one stage that opens the holdout.

The look is in the ledger before the first held-out image is read; the gates see only what is gathered
after it, and what they were shown is written beside the verdict.
"""

from __future__ import annotations

from maintain import codec
from maintain.database import UnitOfWork
from maintain.gates import evaluate, fold
from maintain.records import Verdict
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.gathering import Gathered, gather
from maintain_pipelines.measuring import held_out_roles
from maintain_pipelines.offer import Offer
from maintain_pipelines.rundir import VERDICT, RunFolder
from maintain_pipelines.runlog import logged
from maintain_registry import Event, EventKind


@logged("verify")
def verify(offer: Offer, folder: RunFolder, context: Context) -> Verdict:
    """Judge a candidate by every gate of its plan, and write the verdict."""
    look = _take_look(offer, context)
    verdict = judge(offer, gather(offer, folder, context), folder, look=look)
    folder.write(VERDICT, verdict)
    return verdict


def judge(offer: Offer, gathered: Gathered, folder: RunFolder, *, look: int) -> Verdict:
    """What every gate of the plan makes of the evidence, folded; the tables it was shown are written."""
    evidence, difficulty = gathered.evidence, gathered.difficulty
    results = evaluate(evidence)
    outcome, reason = fold(results, claim=offer.plan.claim, requested=evidence.requests)
    return Verdict(
        candidate=codec.digest_of(offer.candidate),
        slot=offer.slot.number,
        outcome=outcome,
        reason=reason,
        gates=results,
        measurements=folder.write_table("measurements", gathered.measurements),
        look=look,
        difficulty=None if difficulty is None else folder.write_table("difficulty", difficulty),
        references=tuple(reference.weights for reference in evidence.references),
    )


def record_verdict(unit: UnitOfWork, offer: Offer, verdict: Verdict, context: Context) -> None:
    """Write the verdict into the ledger, whatever it is, in the transaction that moves the run."""
    body = {
        "run": offer.run,
        "candidate": verdict.candidate,
        "verdict": codec.digest_of(verdict),
        "outcome": verdict.outcome.value,
        "gates": {result.gate: result.outcome.value for result in verdict.gates},
        "slot": verdict.slot,
    }
    context.ledger.append(unit, Event(EventKind.VERDICT_REACHED, subject=offer.plan.model, body=body))


# --- private ---------------------------------------------------------------------------------------


def _take_look(offer: Offer, context: Context) -> int:
    patients = tuple(sorted({row.patient for row in offer.roles.of(*held_out_roles(offer.plan))}))
    candidate = codec.digest_of(offer.candidate)
    with context.ledger.begin(context.database) as unit:
        number, new = journal.take_look(
            unit,
            offer.claim,
            candidate,
            patients=patients,
            now=context.clock.now(),
        )
        if new:
            body = {"run": offer.run, "candidate": candidate, "look": number, "patients": len(patients)}
            context.ledger.append(unit, Event(EventKind.HOLDOUT_LOOKED, subject=offer.plan.model, body=body))
    return number
