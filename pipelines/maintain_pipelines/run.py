"""The whole path: plan, unlearn, verify, register, report. This file is the order of things.

Running and resuming are the same loop: advance from the present state until there is no further
step. Whatever happens, the folder stays, the journal and the ledger say how it ended, and a report
is written, pass or fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from maintain import codec
from maintain.errors import WaitingError
from maintain.records import Candidate, Plan, Registration, Slot, Verdict
from maintain.vocabulary import Outcome, RunState
from maintain_pipelines import journal
from maintain_pipelines.champions import load_champion
from maintain_pipelines.claims import Claim, guard, hold
from maintain_pipelines.context import Context
from maintain_pipelines.endings import recorded
from maintain_pipelines.expecting import refuse_full_disk
from maintain_pipelines.journal import RunRow
from maintain_pipelines.kept_policy import keep_policy
from maintain_pipelines.promote import refuse_foreign
from maintain_pipelines.register import register
from maintain_pipelines.report import write_report
from maintain_pipelines.requests import settle_after
from maintain_pipelines.rundir import CANDIDATE, REGISTRATION, VERDICT, RunFolder, refuse_erased_lists
from maintain_pipelines.select import LAST_METHOD, make_plan
from maintain_pipelines.states import is_end
from maintain_pipelines.unlearn import unlearn
from maintain_pipelines.verify import record_verdict, verify
from maintain_pipelines.weight_places import clear_checkpoints, remove_weights
from maintain_pipelines.work import Work, begin, refuse_repetition, reopen, stay
from maintain_policies import Policy
from maintain_registry import Event, EventKind, aliases_of, serving_of

#: One step of a run: it leads from the state of this row to another.
Step: TypeAlias = Callable[[Work, RunRow], None]

#: What the last verdict makes of a run, where it does not lead to a registration.
ENDS = {Outcome.FAIL: RunState.REJECTED, Outcome.NOT_EVALUATED: RunState.UNDECIDED}


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, and what it left. `suppressed` is known to the process that did it."""

    run: str
    state: RunState
    plan: Plan
    verdict: Verdict | None
    registration: Registration | None
    report: Path
    suppressed: int | None = None


def next_step(row: RunRow) -> Step | None:
    """The step that leads on from where the journal says that a run stands; None at an end."""
    return STEPS.get(row.state)


def run_policy(
    policy: Policy,
    context: Context,
    *,
    choose: Callable[[RunRow], Step | None] = next_step,
    named: Callable[[str], None] = lambda run: None,
) -> RunEnd:
    """Run a policy to its end. Raises the error of the family that stopped it, after recording it.

    `choose` says what follows; the demo and the tests put a forger in the place of a step. `named` is told the name
    of the run while it holds the model and before it begins, so that whoever scheduled it can find it again.
    """
    load_champion(context, policy.model.name)
    run = journal.new_run_name(policy.name, context.clock.now())
    with _claimed(run, policy.model.name, context) as (claim, folder, fenced), recorded(claim, folder, fenced):
        named(run)
        with fenced.database.read() as unit:
            journal.refuse_unfinished(unit, claim.model)
            refuse_foreign(claim.model, aliases_of(fenced.store, claim.model), serving_of(unit, claim.model))
        selection = make_plan(policy, fenced)
        refuse_repetition(selection, fenced)
        refuse_full_disk(selection, fenced)
        work = begin(selection, claim, folder, fenced)
        keep_policy(policy, folder)
        end = advance(work, choose)
    settle_after(context)
    return end


def resume_run(run: str, context: Context, *, allow_drift: bool = False) -> RunEnd:
    """Go on with a run from the last value on which folder and journal agree; an ended run is shown again.

    Raises `ErasedError` for an ended run whose lists of cases were erased since.
    """
    with context.database.read() as unit:
        row = journal.get(unit, run)
    if is_end(row.state):
        refuse_erased_lists(context.workspace.runs / run)
    with _claimed(run, row.model, context) as (claim, folder, fenced):
        with recorded(claim, folder, fenced):
            work = reopen(claim, folder, fenced)
        if not is_end(work.row().state):
            work = stay(work, allow_drift=allow_drift)
        with recorded(claim, folder, fenced):
            end = advance(work)
    settle_after(context)
    return end


def advance(work: Work, choose: Callable[[RunRow], Step | None] = next_step) -> RunEnd:
    """Take step after step until none follows."""
    while (step := choose(row := work.row())) is not None:
        if work.context.stop():
            raise WaitingError("It was told to stop between two steps.", remedy="Resume it.")
        step(work, row)
    return _close(work, row)


# --- private ---------------------------------------------------------------------------------------


@contextmanager
def _claimed(run: str, model: str, context: Context) -> Iterator[tuple[Claim, RunFolder, Context]]:
    """The claim on the model, and folder and context that ask it before they write or go on."""
    with hold(context.database, model, run, lease_seconds=context.workspace.settings.runs.lease_seconds) as claim:
        standing = guard(context.database, claim)

        def stop() -> bool:
            standing()
            return context.stop()

        yield claim, RunFolder(context.workspace.runs / run, guard=standing), replace(context, stop=stop)


def _unlearn(work: Work, row: RunRow) -> None:
    slot, folder = work.in_slot(row)
    work.context.talk.say(f"Unlearning by {', else '.join(map(slot.told, slot.methods))} ...")
    candidate = unlearn(work.plan, work.roles, work.champion, slot, folder, work.context)
    digest = codec.digest_of(candidate)
    with work.context.database.begin() as unit:
        journal.move(unit, work.claim, RunState.UNLEARNED, now=work.context.clock.now(), digest=digest)
    folder.log(work.context.clock, RunState.UNLEARNED.value, digest=digest)
    clear_checkpoints(folder, work.context)


def _verify(work: Work, row: RunRow) -> None:
    offer, context, folder = work.offer(row), work.context, work.in_slot(row)[1]
    context.talk.say("Verifying ...")
    verdict = verify(offer, folder, context)
    digest, now = codec.digest_of(verdict), context.clock.now()
    with context.ledger.begin(context.database) as unit:
        record_verdict(unit, offer, verdict, context)
        if verdict.outcome is Outcome.PASS:
            state = RunState.VERIFIED
            journal.move(unit, work.claim, state, now=now, digest=digest)
        elif (following := _next_slot(work.plan, offer.candidate)) is not None:
            state = RunState.PLANNED
            journal.move(unit, work.claim, state, now=now, digest=digest, slot=following.number)
        else:
            state = ENDS[verdict.outcome]
            journal.move(unit, work.claim, state, now=now, digest=digest, error=verdict.reason)
            body = {"run": work.run, "state": state.value, "reason": verdict.reason}
            context.ledger.append(unit, Event(EventKind.RUN_ENDED, subject=work.plan.model, body=body))
    folder.log(context.clock, state.value, digest=digest, slot=row.slot, outcome=verdict.outcome.value)


def _register(work: Work, row: RunRow) -> None:
    folder = work.in_slot(row)[1]
    registration = register(work.offer(row), work.verdict(row), work.matches, folder, work.context)
    folder.log(work.context.clock, RunState.REGISTERED.value, version=registration.version)


#: From each state that is no end, the one step that leads on.
STEPS: Mapping[RunState, Step] = {
    RunState.PLANNED: _unlearn,
    RunState.UNLEARNED: _verify,
    RunState.VERIFIED: _register,
}


def _next_slot(plan: Plan, refused: Candidate) -> Slot | None:
    """The chance that is left after a refused candidate; none where it was a retrain already."""
    if refused.method == LAST_METHOD or refused.slot >= len(plan.slots):
        return None
    return plan.slots[refused.slot]


def _close(work: Work, row: RunRow) -> RunEnd:
    """What an ended run leaves; said again, it writes what a killed process did not."""
    folder, registration = work.in_slot(row)[1], None
    if row.state is RunState.REGISTERED:
        offer = work.offer(row)
        if folder.file(REGISTRATION).is_file():
            registration = folder.read(REGISTRATION, Registration)
        else:
            registration = register(offer, work.verdict(row), work.matches, folder, work.context)
        folder.guard()
        remove_weights(work.context, folder.weights(offer.candidate.weights))
    clear_checkpoints(folder, work.context)
    judged = folder.file(VERDICT).is_file() and folder.file(CANDIDATE).is_file()
    verdict = folder.read(VERDICT, Verdict) if judged else None
    report = write_report(work.run, work.folder, work.context)
    return RunEnd(work.run, row.state, work.plan, verdict, registration, report, work.suppressed)
