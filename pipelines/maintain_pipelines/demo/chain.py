"""The chain: story after story on one lineage, each from the version that the one before it promoted.

A story that ends otherwise than it is told is said to, and the next one starts from the version that serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maintain.errors import WaitingError
from maintain.records import Candidate
from maintain.report import Report
from maintain.vocabulary import Alias, Outcome, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.demo.impostor import offer_impostor
from maintain_pipelines.demo.letter import answer_letters, receive_letter
from maintain_pipelines.demo.preparing import MODEL
from maintain_pipelines.demo.stories import STORIES, Story, Way
from maintain_pipelines.endings import abandon_run
from maintain_pipelines.jobs import Load
from maintain_pipelines.journal import RunRow
from maintain_pipelines.promote import promote
from maintain_pipelines.report import read_report
from maintain_pipelines.run import resume_run, run_policy
from maintain_pipelines.rundir import REPORT, RunFolder
from maintain_pipelines.select import LAST_METHOD
from maintain_policies import Policy

#: Gates that ask what is remembered; an impostor must be stopped by one of them.
FORGETTING = frozenset({"held-out", "membership"})


@dataclass(frozen=True, slots=True)
class Told:
    """How one story ended: its run, what was made by which method, and what the report says."""

    story: Story
    run: str
    report: Report
    page: Path

    @property
    def state(self) -> RunState:
        """The state in which its run was left."""
        return self.report.ending.state

    @property
    def candidate(self) -> Candidate | None:
        """The last candidate that was judged."""
        return self.report.candidate

    @property
    def failed(self) -> tuple[str, ...]:
        """The gates that the last candidate failed."""
        verdict = self.report.verdict
        return tuple(gate.gate for gate in verdict.gates if gate.outcome is Outcome.FAIL) if verdict else ()

    @property
    def as_meant(self) -> bool:
        """Whether it ended in the way that the story tells."""
        if self.story.way is Way.REFUSED:
            return self.report.registration is None and bool(FORGETTING & set(self.failed))
        anew = self.candidate is not None and self.candidate.method == LAST_METHOD
        return self.state is RunState.REGISTERED and anew is (self.story.way is Way.RETRAINED)


def play_chain(hospital: Path, load: Load, context: Context) -> tuple[Told, ...]:
    """Play every story that was not played before, in order. `load` reads a policy file of the workspace."""
    return tuple(_played(story, number, hospital, load, context) for number, story in enumerate(STORIES))


# --- private ---------------------------------------------------------------------------------------


def _played(story: Story, number: int, hospital: Path, load: Load, context: Context) -> Told:
    policy = load(context.workspace.policies / story.policy)
    row = _last_run(policy, context)
    if row is None or row.state not in _ENDED:
        context.talk.say(f"\nStory {number + 1} of {len(STORIES)} ({story.letter}): {story.told}")
        run = (
            _by_job(story, policy, hospital, load, context)
            if story.letter_arrives
            else _play(story, row, policy, context)
        )
    else:
        run = row.run
    _promote(run, context)
    folder = RunFolder(context.workspace.runs / run)
    return Told(story, run, read_report(run, folder, context), folder.file(REPORT))


#: Ends of a run that tell how its story went; one that failed or was killed is played again.
_ENDED = (RunState.REGISTERED, RunState.REJECTED, RunState.UNDECIDED, RunState.ABANDONED)


def _last_run(policy: Policy, context: Context) -> RunRow | None:
    with context.database.read() as unit:
        rows = [row for row in journal.runs(unit) if row.policy == policy.digest]
    return rows[-1] if rows else None


def _by_job(story: Story, policy: Policy, hospital: Path, load: Load, context: Context) -> str:
    """The letter is filed, and the scheduled job answers it; a run that was cut short is gone on with by its turn."""
    receive_letter(hospital, context)
    answer_letters(context.workspace.policies / story.policy, policy.name, context, load=load)
    row = _last_run(policy, context)
    if row is None:
        raise WaitingError("The job that answers requests had no run.", remedy="Say the same command again.")
    return row.run


def _play(story: Story, begun: RunRow | None, policy: Policy, context: Context) -> str:
    unfinished = begun is not None and begun.state not in (*_ENDED, RunState.FAILED, RunState.NOTHING_TO_DO)
    if story.way is Way.REFUSED:
        if begun is not None and unfinished:
            abandon_run(begun.run, context)
        return offer_impostor(policy, context).run
    return (resume_run(begun.run, context) if begun is not None and unfinished else run_policy(policy, context)).run


def _promote(run: str, context: Context) -> None:
    """Let the version of this run serve, if it made one that waits."""
    waiting = context.store.alias(MODEL, Alias.CANDIDATE)
    if waiting is None or context.store.get(MODEL, waiting).record.run != run:
        return
    moved = promote(MODEL, waiting, context)
    context.talk.say(f"Version {moved.version} serves now.")
