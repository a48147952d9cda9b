"""The story that must fail: the champion with one bias nudged, in a run folder that claims an honest revision.

The run is planned as every run is. What an honest method would have written is then forged: other weights than the
champion's, a loader that says it handed out every retained case and no forgotten one. The gates judge the rest.
"""

from __future__ import annotations

from maintain import codec
from maintain.errors import RefusedError
from maintain.imaging import State, read_weights_bytes, weights_digest
from maintain.records import LoaderLog, LoaderRow, Origin
from maintain.unlearn import Heard
from maintain.vocabulary import OriginKind, Outcome, Role, RunState
from maintain_pipelines import journal
from maintain_pipelines.champions import WEIGHTS_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.endings import abandon_run
from maintain_pipelines.journal import RunRow
from maintain_pipelines.run import STEPS, RunEnd, Step, run_policy
from maintain_pipelines.search import Found, Product
from maintain_pipelines.unlearn import write_candidate
from maintain_pipelines.work import Work
from maintain_policies import Policy

#: By how much one bias is nudged: enough for another digest, and for nothing else.
NUDGE = 1e-3

#: The bias that is nudged: the first of the last layer.
BIAS = "head.bias"

#: How often the forged loader says that it handed out each retained case.
_PASSES = 3

#: Images of a forged step.
_BATCH = 128


def offer_impostor(policy: Policy, context: Context) -> RunEnd:
    """Offer the impostor for a policy's first slot and give the run up, whatever the gates say. Registers nothing."""
    end = run_policy(policy, context, choose=_next)
    abandon_run(end.run, context)
    return end


def refused(end: RunEnd) -> bool:
    """Whether the gates refused it."""
    return end.verdict is not None and end.verdict.outcome is Outcome.FAIL


# --- private ---------------------------------------------------------------------------------------


def _next(row: RunRow) -> Step | None:
    """Forge, verify, and no further: neither is it registered, nor does a retrain take its place."""
    if row.slot > 1:
        return None
    return {RunState.PLANNED: _forge, RunState.UNLEARNED: STEPS[RunState.UNLEARNED]}.get(row.state)


def _forge(work: Work, row: RunRow) -> None:
    slot, folder = work.in_slot(row)
    work.context.talk.say("Forging a candidate: the champion with one bias nudged ...")
    state = _nudged(work)
    heard = _claimed(work, state)
    found = Found(slot.methods[0], Product(state, heard), ())
    candidate = write_candidate(work.plan, work.roles, work.champion, slot, found, folder, work.context)
    digest = codec.digest_of(candidate)
    with work.context.database.begin() as unit:
        journal.move(unit, work.claim, RunState.UNLEARNED, now=work.context.clock.now(), digest=digest)
    folder.log(work.context.clock, RunState.UNLEARNED.value, digest=digest)


def _nudged(work: Work) -> State:
    version = work.champion.version
    data = work.context.store.get(version.model, version.version).read(WEIGHTS_FILE)
    state = read_weights_bytes(data, expected=version.weights)
    if BIAS not in state:
        raise RefusedError(f"This network has no {BIAS} to nudge.", remedy="Play the demo with its own network.")
    bias = state[BIAS].clone()
    bias[0] += NUDGE
    return {**state, BIAS: bias}


def _claimed(work: Work, state: State) -> Heard:
    """What an honest refit of the champion on the retained cases would have left behind."""
    version = work.champion.version
    origin = Origin(OriginKind.CHECKPOINT, version.weights, version.manifest)
    rows = [LoaderRow(Role.RETAIN, row.case_id, row.label_version, _PASSES) for row in work.roles.of(Role.RETAIN)]
    rows.sort(key=lambda row: (row.role.value, row.case_id, row.label_version))
    steps = -(-_PASSES * len(rows) // _BATCH)
    log = LoaderLog(origin, weights_digest(state), steps, tuple(rows))
    return Heard(log.final_weights, None, origin, log, steps, steps)
