"""The whole path: plan, unlearn, verify, register, report. This file is the order of things.

Whatever happens, the run folder stays, the journal says where the run stands, the ledger says how
it ended, and a report is written, pass or fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maintain import codec
from maintain.errors import MaintainError, WaitingError
from maintain.records import Plan, Registration, Verdict
from maintain.vocabulary import Alias, Outcome, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.offer import Offer
from maintain_pipelines.register import register
from maintain_pipelines.report import write_report
from maintain_pipelines.roles import forget_set_digest
from maintain_pipelines.rundir import PLAN, RunFolder
from maintain_pipelines.runlog import facts_of, log_error
from maintain_pipelines.select import Selection, make_plan
from maintain_pipelines.suppress import suppress_only
from maintain_pipelines.unlearn import unlearn
from maintain_pipelines.verify import record_verdict, verify
from maintain_policies import Policy
from maintain_registry import Event, EventKind

#: What a verdict makes of a run, where it does not lead to a registration.
_ENDS = {Outcome.FAIL: RunState.REJECTED, Outcome.NOT_EVALUATED: RunState.UNDECIDED}


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, and what it left."""

    run: str
    state: RunState
    plan: Plan
    verdict: Verdict | None
    registration: Registration | None
    report: Path
    suppressed: int = 0


def run_policy(policy: Policy, context: Context) -> RunEnd:
    """Run a policy to its end. Raises the error of the family that stopped it, after recording it."""
    selection = make_plan(policy, context)
    _refuse_repetition(selection, context)
    run = journal.new_run_name(policy.name, context.clock.now())
    folder = RunFolder(context.workspace.runs / run)
    folder.create()
    _begin(run, selection, folder, context)
    try:
        if selection.nothing_learned:
            return _nothing_to_do(run, selection, folder, context)
        return _execute(run, selection, folder, context)
    except BaseException as error:
        _fail(run, selection, folder, context, error)
        raise


# --- private ---------------------------------------------------------------------------------------


def _refuse_repetition(selection: Selection, context: Context) -> None:
    """A second candidate for the same wish would cost a look at the holdout and show nothing new."""
    plan = selection.plan
    number = context.store.alias(plan.model, Alias.CANDIDATE)
    if number is None:
        return
    waiting = context.store.get(plan.model, number).record
    same = (waiting.policy, waiting.parent, waiting.forget_set)
    if same == (plan.policy, plan.champion.version, forget_set_digest(selection.roles)):
        raise WaitingError(
            f"Version {number} of {plan.model} answers this policy already and waits for promotion.",
            remedy=f"Look at it with `maintain registry show {plan.model} {number}`.",
        )


def _begin(run: str, selection: Selection, folder: RunFolder, context: Context) -> None:
    plan = selection.plan
    folder.write_table("roles", selection.roles)
    digest = folder.write(PLAN, plan)
    body = {"run": run, "plan": digest, "policy": plan.policy, "claim": plan.claim.value}
    with context.ledger.begin(context.database) as unit:
        journal.begin(
            unit,
            run,
            model=plan.model,
            policy=plan.policy,
            policy_name=plan.policy_name,
            champion=plan.champion.weights,
            state=RunState.NOTHING_TO_DO if selection.nothing_learned else RunState.PLANNED,
            digest=digest,
            now=context.clock.now(),
        )
        context.ledger.append(unit, Event(EventKind.RUN_PLANNED, subject=plan.model, body=body))
    folder.log(context.clock, "planned", plan=digest, **facts_of(plan))


def _execute(run: str, selection: Selection, folder: RunFolder, context: Context) -> RunEnd:
    plan, slot = selection.plan, selection.plan.slots[0]
    context.talk.say(f"Unlearning by {', else '.join(method.name for method in slot.methods)} ...")
    candidate = unlearn(plan, selection.roles, selection.champion, slot, folder, context)
    _move(run, RunState.UNLEARNED, folder, context, digest=codec.digest_of(candidate))
    offer = Offer(run, plan, selection.roles, selection.champion, slot, candidate)
    context.talk.say("Verifying ...")
    verdict = verify(offer, folder, context)
    record_verdict(offer, verdict, context)
    registration = None
    if verdict.outcome is Outcome.PASS:
        _move(run, RunState.VERIFIED, folder, context, digest=codec.digest_of(verdict))
        registration = register(offer, verdict, selection.matches, folder, context)
        folder.log(context.clock, RunState.REGISTERED.value, version=registration.version)
        folder.weights(candidate.weights).unlink(missing_ok=True)
        state = RunState.REGISTERED
    else:
        state = _ENDS[verdict.outcome]
        _end(run, state, verdict.reason, folder, context, digest=codec.digest_of(verdict))
    report = write_report(run, folder, context)
    return RunEnd(run, state, plan, verdict, registration, report)


def _nothing_to_do(run: str, selection: Selection, folder: RunFolder, context: Context) -> RunEnd:
    count = suppress_only(run, selection.plan, selection.matches, context)
    folder.log(context.clock, RunState.NOTHING_TO_DO.value, suppressed=count)
    report = write_report(run, folder, context)
    return RunEnd(run, RunState.NOTHING_TO_DO, selection.plan, None, None, report, suppressed=count)


def _move(run: str, state: RunState, folder: RunFolder, context: Context, *, digest: str) -> None:
    with context.database.begin() as unit:
        journal.move(unit, run, state, now=context.clock.now(), digest=digest)
    folder.log(context.clock, state.value, digest=digest)


def _end(run: str, state: RunState, reason: str, folder: RunFolder, context: Context, *, digest: str | None) -> None:
    with context.ledger.begin(context.database) as unit:
        model = journal.get(unit, run).model
        journal.move(unit, run, state, now=context.clock.now(), digest=digest, error=reason)
        body = {"run": run, "state": state.value, "reason": reason}
        context.ledger.append(unit, Event(EventKind.RUN_ENDED, subject=model, body=body))
    folder.log(context.clock, state.value)


def _fail(run: str, selection: Selection, folder: RunFolder, context: Context, error: BaseException) -> None:
    """Leave the run FAILED with its folder and a report; the error itself goes on to the caller."""
    with context.database.read() as unit:
        state = journal.get(unit, run).state
    if state in (RunState.REGISTERED, RunState.NOTHING_TO_DO, *_ENDS.values()):
        return
    log_error(folder, context.clock, error)
    said = error.message if isinstance(error, MaintainError) else type(error).__name__
    _end(run, RunState.FAILED, said, folder, context, digest=None)
    write_report(run, folder, context)
