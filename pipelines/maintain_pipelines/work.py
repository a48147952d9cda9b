"""A run under way as one value: planned anew, or opened again from its folder and the journal.

Running and resuming differ in nothing but how this value comes to be. What stands here is read back
and checked: a value counts as made only where file and journal agree.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace

from maintain import codec
from maintain.errors import DamagedError, InputError, MaintainError, WaitingError
from maintain.hashing import Digest
from maintain.records import Candidate, Match, MatchTable, Plan, RoleTable, Slot, Strata, Verdict
from maintain.vocabulary import Alias, RunState
from maintain_pipelines import journal
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, Champion, load_version
from maintain_pipelines.claims import Claim, check
from maintain_pipelines.context import Context
from maintain_pipelines.environment import describe_environment, drift
from maintain_pipelines.journal import RunRow
from maintain_pipelines.offer import Offer
from maintain_pipelines.roles import forget_set_digest
from maintain_pipelines.rundir import CANDIDATE, PLAN, VERDICT, RunFolder
from maintain_pipelines.runlog import facts_of
from maintain_pipelines.select import Selection
from maintain_pipelines.suppress import suppress_only
from maintain_registry import Event, EventKind


@dataclass(frozen=True, slots=True)
class Work:
    """The claim that lets a run write, its folder, and the values that its steps start from."""

    claim: Claim
    context: Context
    folder: RunFolder
    plan: Plan
    roles: RoleTable
    matches: MatchTable
    champion: Champion
    suppressed: int | None = None

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.claim.holder

    def row(self) -> RunRow:
        """Where the journal says that the run stands."""
        with self.context.database.read() as unit:
            return journal.get(unit, self.run)

    def in_slot(self, row: RunRow) -> tuple[Slot, RunFolder]:
        """The present slot, and the folder as it sees it."""
        return self.plan.slots[row.slot - 1], replace(self.folder, slot=row.slot)

    def offer(self, row: RunRow) -> Offer:
        """The candidate of the present slot with what it answers. Raises `DamagedError` where files are gone."""
        slot, folder = self.in_slot(row)
        candidate = folder.kept(CANDIDATE, Candidate, expected=row.digest if row.state is RunState.UNLEARNED else None)
        return Offer(self.claim, self.plan, self.roles, self.champion, slot, candidate)

    def verdict(self, row: RunRow) -> Verdict:
        """The verdict of the present slot, as the journal says it was written."""
        return self.in_slot(row)[1].kept(VERDICT, Verdict, expected=row.digest)


def begin(selection: Selection, claim: Claim, folder: RunFolder, context: Context) -> Work:
    """Write a plan down: its files, then in one transaction its row, its ledger entry, and what it bars.

    Where nobody learned from a match the run ends here; where writing fails it was never begun.
    """
    plan = selection.plan
    matches = MatchTable(tuple(Match(match.case.case_id, match.reason) for match in selection.matches))
    try:
        folder.create()
        folder.write_table("roles", selection.roles)
        if selection.strata is not None:
            folder.write_table("strata", selection.strata)
        matches_digest = folder.write_table("matches", matches)
        digest = folder.write(PLAN, plan)
        suppressed = _record_plan(selection, claim, digest, matches_digest, context)
    except BaseException:
        with contextlib.suppress(OSError, MaintainError), context.database.read() as unit:
            if all(row.run != claim.holder for row in journal.runs(unit)):
                shutil.rmtree(folder.path)
        raise
    folder.log(context.clock, "planned", plan=digest, **facts_of(plan))
    return Work(claim, context, folder, plan, selection.roles, matches, selection.champion, suppressed)


def reopen(claim: Claim, folder: RunFolder, context: Context) -> Work:
    """Open a run again. Raises `DamagedError` where the journal names a value that is not in the folder."""
    with context.database.read() as unit:
        row = journal.get(unit, claim.holder)
    plan = folder.kept(PLAN, Plan)
    champion = load_version(context, plan.model, plan.champion.version)
    if champion.ref != plan.champion:
        raise DamagedError(
            f"Version {plan.champion.version} of {plan.model} is not the one that this run was planned for.",
            remedy="Restore the registry folder from a backup, or begin a new run.",
        )
    work = Work(
        claim=claim,
        context=context,
        folder=folder,
        plan=plan,
        roles=folder.read_table("roles", plan.roles, RoleTable),
        matches=folder.read_table("matches", row.matches or "", MatchTable),
        champion=champion,
    )
    if plan.strata is not None:
        folder.read_table("strata", plan.strata, Strata)
    _require_agreement(work, row)
    return work


def stay(work: Work, *, allow_drift: bool) -> Work:
    """The work where its plan said that it computes, or elsewhere if that is allowed, and then recorded."""
    context, present = work.context, describe_environment(work.context.workspace)
    differs = drift(work.plan.environment, present)
    work.folder.log(context.clock, "resumed", state=work.row().state.value, drift="; ".join(differs))
    if not differs:
        return work
    if not allow_drift:
        raise InputError(
            f"The run {work.run} was planned for another environment ({'; '.join(differs)}); "
            "the same weights are promised only there.",
            remedy="Resume it there, or say --allow-drift; the ledger will say so.",
        )
    with context.ledger.begin(context.database) as unit:
        check(unit, work.claim)
        body = {"run": work.run, "drift": list(differs)}
        context.ledger.append(unit, Event(EventKind.RUN_RESUMED, subject=work.plan.model, body=body))
    return replace(work, context=replace(context, elsewhere=present))


def answered_by(selection: Selection, context: Context) -> int | None:
    """The candidate that was made for this very wish and waits for promotion; None where there is none."""
    plan = selection.plan
    number = context.store.alias(plan.model, Alias.CANDIDATE)
    if number is None:
        return None
    waiting = context.store.get(plan.model, number).record
    same = (waiting.policy, waiting.parent, waiting.forget_set)
    return number if same == (plan.policy, plan.champion.version, forget_set_digest(selection.roles)) else None


def refuse_repetition(selection: Selection, context: Context) -> None:
    """A second candidate for the same wish would cost a look at the holdout and show nothing new."""
    model, number = selection.plan.model, answered_by(selection, context)
    if number is not None:
        raise WaitingError(
            f"Version {number} of {model} answers this policy already and waits for promotion.",
            remedy=f"Look at it with `maintain registry show {model} {number}`.",
        )


# --- private ---------------------------------------------------------------------------------------


def _record_plan(selection: Selection, claim: Claim, digest: Digest, matches: Digest, context: Context) -> int | None:
    plan, suppressed = selection.plan, None
    body = {"run": claim.holder, "plan": digest, "matches": matches, "policy": plan.policy, "claim": plan.claim.value}
    with context.ledger.begin(context.database) as unit:
        journal.begin(
            unit,
            claim,
            policy=plan.policy,
            policy_name=plan.policy_name,
            champion=plan.champion.weights,
            state=RunState.NOTHING_TO_DO if selection.nothing_learned else RunState.PLANNED,
            digest=digest,
            matches=matches,
            roles=plan.roles,
            now=context.clock.now(),
        )
        context.ledger.append(unit, Event(EventKind.RUN_PLANNED, subject=plan.model, body=body))
        if selection.nothing_learned:
            suppressed = suppress_only(unit, claim.holder, selection, context)
    return suppressed


def _require_agreement(work: Work, row: RunRow) -> None:
    """Raise `DamagedError` unless the last value of the journal is in the folder, with all that it names."""
    if row.state is RunState.PLANNED and row.slot == 1:
        work.folder.kept(PLAN, Plan, expected=row.digest)
    elif row.state is RunState.PLANNED:
        replace(work.folder, slot=row.slot - 1).kept(VERDICT, Verdict, expected=row.digest)
    elif row.state in (RunState.UNLEARNED, RunState.VERIFIED):
        folder, candidate = work.in_slot(row)[1], work.offer(row).candidate
        if candidate.plan != codec.digest_of(work.plan):
            raise DamagedError(
                "The candidate of this run was made for another plan.",
                remedy="Restore the run folder from a backup, or begin a new run.",
            )
        folder.require_parts(
            folder.weights(candidate.weights),
            folder.file(f"02-{MANIFEST_FILE}"),
            folder.file(f"02-{SPEC_FILE}"),
            folder.table("loader-log", candidate.loader_log),
        )
        if row.state is RunState.VERIFIED:
            work.verdict(row)
