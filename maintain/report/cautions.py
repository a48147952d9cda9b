"""What may not be concluded from a run, in sentences: as prominent as what may.

A report is read by people who will act on it. So it says what its claim does not cover, what was not tried, and what
the outcome of a gate does not mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maintain.records import Candidate, Plan, Verdict
from maintain.vocabulary import Claim, Outcome, Role, RunState

#: What each claim does not say, also where it was proven.
BEYOND: Mapping[Claim, str] = {
    Claim.NEVER_SAW: (
        "How the version answers is not claimed. That it was not trained on the excluded cases says nothing on its"
        " behaviour: it may answer images like theirs exactly as before."
    ),
    Claim.EXAMPLES: (
        "The group is not forgotten. The claim is about these cases, beside others of their group that no version"
        " ever saw; what the model knows of the group, for instance of a camera, may all still be there."
    ),
    Claim.GROUP: (
        "Likeness is not identity. The version is compared by how often it is right; what it keeps inside, and"
        " whether single images can be told, is not claimed."
    ),
}

#: A withdrawn label.
OUTPUT_ONLY = (
    "Only the outputs were judged. The layers below may hold everything that tells the withdrawn label; a mask over"
    " one output would pass too."
)

#: The attack that the gate `membership` makes.
ONE_ATTACK = (
    "One attack was tried: it sees how probable the version calls the recorded label, and knows how difficult each"
    " image is. It saw no weights and trained no shadow models; another attack may tell more."
)

#: Where behaviour was not asked at all.
NO_ATTACK = "No gate judged an attack: whether somebody could tell the excluded cases by the answers is no part of it."

#: Every run.
ONE_RUN = "This is one run with one seed. How often such a run would end like this is not known from it."

#: Retention.
A_FLOOR = (
    "Retention is a floor, not praise: it shows that a loss beyond the margin is unlikely on cases like the held-out"
    " ones, not that the version is better, nor anything on groups too small to be judged."
)

#: Champion and older versions.
STILL_THERE = (
    "Version {version} learned from the excluded cases and is unchanged. It serves until the new version is promoted,"
    " and it can be loaded until it is retired."
)

#: What comes of a candidate that was not released.
NOT_EVALUATED = "Not evaluated is neither passed nor failed: nothing is shown of {gates}, for better or for worse."
UNREGISTERED = "Nothing may be said of the excluded cases: the version that serves still learned from them."
NOTHING_DONE = (
    "That the version that serves learned nothing that the policy forgets is read from its manifest; no weights were"
    " looked at."
)

#: Several looks.
LOOKED = "The holdout has been opened {looks} times in this lineage. Each look makes a lucky pass a little likelier."


def cautions(plan: Plan, state: RunState, candidate: Candidate | None, verdict: Verdict | None) -> tuple[str, ...]:
    """Every sentence that applies, the most important first."""
    return tuple(_told(plan, state, candidate, verdict))


# --- private ---------------------------------------------------------------------------------------


def _told(plan: Plan, state: RunState, candidate: Candidate | None, verdict: Verdict | None) -> Iterable[str]:
    if state is RunState.NOTHING_TO_DO:
        yield NOTHING_DONE
        return
    if state is not RunState.REGISTERED:
        yield UNREGISTERED
    gates = verdict.gates if verdict else ()
    asked = {gate.gate for gate in gates}
    passed = {gate.gate for gate in gates if gate.outcome is Outcome.PASS}
    yield OUTPUT_ONLY if "zero" in asked else BEYOND[plan.claim]
    if verdict and (open_ends := _open(verdict)):
        yield NOT_EVALUATED.format(gates=open_ends)
    if "membership" in asked:
        yield ONE_ATTACK
    elif verdict:
        yield NO_ATTACK
    if "retention" in passed:
        yield A_FLOOR
    if state is RunState.REGISTERED and plan.count(Role.FORGET).cases:
        yield STILL_THERE.format(version=plan.champion.version)
    if verdict and verdict.look > 1:
        yield LOOKED.format(looks=verdict.look)
    if candidate:
        yield ONE_RUN


def _open(verdict: Verdict) -> str:
    return ", ".join(gate.gate for gate in verdict.gates if gate.outcome is Outcome.NOT_EVALUATED)
