"""Whether a job that is due would run, and why not: asked before every run, and by people beforehand.

A run costs a look at the holdout. What failed its gates is not tried again on the same policy, cases and champion;
what is answered already, or has nothing to forget and nothing to bar, begins no run at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.cohort import suppressed
from maintain.vocabulary import Claim, JobOutcome, Role, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.journal import RunRow
from maintain_pipelines.reach import refuse_excess
from maintain_pipelines.select import Preview, Selection, preview
from maintain_pipelines.work import answered_by
from maintain_policies import Policy

#: States in which the gates had their say.
JUDGED = (RunState.REGISTERED, RunState.REJECTED, RunState.UNDECIDED)


#: Runs without a version that a policy gets on one champion before fresh held-out patients are needed.
MOST_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a due job comes to without a run; `outcome` None: it would run. `run` is the run that decides that.

    `settled` is false where somebody else must finish first and the same moment is tried again.
    """

    outcome: JobOutcome | None
    told: str
    run: str | None = None
    settled: bool = True


def weigh(policy: Policy, context: Context, *, again: bool = False) -> Weighed:
    """Whether a run would begin. `again`: a person lets it, whatever failed before. Changes nothing.

    Raises what the run would raise: `InputError` for a policy that cannot be planned here or exceeds its limits.
    """
    with context.database.read() as unit:
        other = journal.unfinished(unit, policy.model.name)
    if other is not None:
        return _unfinished(other)
    found = preview(policy, context)
    refuse_excess(policy.name, found.reach)
    if found.selection.nothing_learned:
        return _nothing_learned(policy, found, context)
    version = answered_by(found.selection, context)
    if version is not None:
        model = policy.model.name
        said = f"Version {version} of {model} answers it already and waits for `maintain registry promote {model}`."
        return Weighed(JobOutcome.WAITING, said)
    failed = None if again else failed_before(found.selection, context)
    if failed is not None:
        return Weighed(JobOutcome.HELD_BACK, _held_back(policy, failed), run=failed.run)
    often = () if again else failed_often(found.selection, context)
    if often:
        return Weighed(JobOutcome.HELD_BACK, _worn_out(policy, often), run=often[-1].run)
    count = found.selection.plan.count(Role.FORGET)
    return Weighed(None, f"To forget: {_many(count.cases, 'image')} of {_many(count.patients, 'person', 'people')}.")


def failed_before(selection: Selection, context: Context) -> RunRow | None:
    """The last judged run of the same policy, cases and champion, if its gates did not pass."""
    plan = selection.plan
    wanted = (plan.policy, plan.champion.weights, plan.roles)
    with context.database.read() as unit:
        same = [row for row in journal.runs(unit) if (row.policy, row.champion, row.roles) == wanted]
    judged = [row for row in same if row.state in JUDGED]
    return judged[-1] if judged and judged[-1].state is not RunState.REGISTERED else None


def failed_often(selection: Selection, context: Context) -> tuple[RunRow, ...]:
    """The judged runs of the same policy and champion that did not pass, where they are as many as a pair gets.

    New images change the plan from night to night and the held-out patients hardly: whoever looks often enough passes
    by chance. A claim of never-saw is proven by digests and is never stopped by this.
    """
    plan = selection.plan
    if plan.claim is Claim.NEVER_SAW:
        return ()
    with context.database.read() as unit:
        same = [row for row in journal.runs(unit) if (row.policy, row.champion) == (plan.policy, plan.champion.weights)]
    failed = tuple(row for row in same if row.state in (RunState.REJECTED, RunState.UNDECIDED))
    return failed if len(failed) >= MOST_FAILURES else ()


# --- private ---------------------------------------------------------------------------------------


def _unfinished(run: RunRow) -> Weighed:
    said = (
        f"The run {run.run} of {run.model} has not ended; it is {run.state}. `maintain run --resume {run.run}` goes on "
        f"with it; `maintain runs abandon {run.run}` gives it up."
    )
    return Weighed(JobOutcome.WAITING, said, run=run.run, settled=False)


def _nothing_learned(policy: Policy, found: Preview, context: Context) -> Weighed:
    """A run begins only to bar what is not barred yet; a person's wish must hold in every lineage."""
    label = found.selection.champion.spec.label_name
    listed = found.barred
    if policy.reason.personal:
        with context.database.read() as unit:
            listed = suppressed(unit, None)
    cases = [match.case for match in found.selection.matches]
    versions = [max((item.version for item in case.labels if item.name == label), default=0) for case in cases]
    free = sum(listed.why(case, label_version=version) is None for case, version in zip(cases, versions, strict=True))
    if not free:
        said = f"The champion learned from none of {len(cases)} matching images, and all of them are barred already."
        return Weighed(JobOutcome.NOTHING_TO_DO, said if cases else "No image matches.")
    return Weighed(None, f"Nothing to forget; {free} matching images are to be barred from later use.")


def _held_back(policy: Policy, failed: RunRow) -> str:
    return (
        f"The run {failed.run} of the same policy on the same images and champion was {failed.state}. It is tried "
        "again when one of them changes, or with "
        f"`maintain jobs run-due --job {policy.name} --again REASON`."
    )


def _worn_out(policy: Policy, failed: tuple[RunRow, ...]) -> str:
    return (
        f"{len(failed)} runs of this policy on this champion registered nothing, the last of them {failed[-1].run}; "
        "one more look at nearly the same held-out patients would show little. It is tried again when the policy or "
        f"the champion changes, or with `maintain jobs run-due --job {policy.name} --again REASON`."
    )


def _many(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"
