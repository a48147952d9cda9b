"""The answers that a verdict was reached by, read back from the run folder as the gates saw them.

The same code as the gates' pairs answers with cases, so a figure of the report and one of a gate cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.special import softmax

from maintain import codec
from maintain.errors import MaintainError, NotEvaluatedError
from maintain.gates import Evidence, WeightsCheck
from maintain.gates.answers import Answers
from maintain.records import (
    Candidate,
    Difficulty,
    LoaderLog,
    Measurements,
    ModelSpec,
    Plan,
    RoleTable,
    TrainingManifest,
    Verdict,
)
from maintain.report import Answered, Estimate, NotShown
from maintain.statistics import Bound, mean_bound, share_bound
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE
from maintain_pipelines.rundir import RunFolder

T = TypeVar("T")

#: One-sided level of each end of an interval in a report: 95 % together.
ALPHA = 0.025

#: Fewer patients than this are no aggregate: their figures are not shown.
FEWEST_PATIENTS = 10

#: What is said where they are not.
TOO_FEW = f"Fewer than {FEWEST_PATIENTS} patients: figures of so few would speak of persons, so none are shown."


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left behind that a report reads. `folder` is that of the last slot with a candidate."""

    folder: RunFolder
    plan: Plan
    roles: RoleTable
    candidate: Candidate
    verdict: Verdict
    log: LoaderLog


def evidence_of(left: Left) -> Evidence:
    """What the behaviour gates were shown, without what only `integrity` reads: no file and no weights are looked at.

    Raises `NotEvaluatedError` where nothing was measured, another error of the family where a table is damaged.
    """
    folder, plan, candidate = left.folder, left.plan, left.candidate
    measurements = folder.read_table("measurements", left.verdict.measurements, Measurements)
    if not measurements.rows:
        raise NotEvaluatedError(
            "No answers were kept, because the candidate's were not finite.", remedy="Look at the gate integrity."
        )
    spec = folder.read(f"02-{SPEC_FILE}", ModelSpec, expected=candidate.spec)
    manifest = folder.read(f"02-{MANIFEST_FILE}", TrainingManifest, expected=candidate.manifest)
    hard = left.verdict.difficulty
    return Evidence(
        plan=plan,
        plan_digest=codec.digest_of(plan),
        roles=left.roles,
        slot=plan.slots[candidate.slot - 1],
        candidate=candidate,
        candidate_digest=codec.digest_of(candidate),
        champion_spec=spec,
        candidate_spec=spec,
        champion_manifest=manifest,
        candidate_manifest=manifest,
        log=left.log,
        measurements=measurements,
        weights=WeightsCheck(candidate.weights, plan.champion.weights, finite=True),
        files=(),
        difficulty=None if hard is None else folder.read_table("difficulty", hard, Difficulty),
    )


def answered(answers: Answers) -> Answered:
    """How often answers are right and how probable they are called. Raises `NotEvaluatedError` where unknown."""
    certain = softmax(answers.logits, axis=1).max(axis=1)
    return Answered(
        accuracy=right_share(answers),
        confidence=estimate(mean_bound(certain, answers.patients, alpha=ALPHA)),
    )


def right_share(answers: Answers) -> Estimate:
    """The share of right answers. Raises `NotEvaluatedError` below ten patients."""
    if len(set(answers.patients)) < FEWEST_PATIENTS:
        raise NotEvaluatedError(TOO_FEW, remedy="Bring in more patients.")
    return estimate(share_bound(answers.right().astype(np.bool_), answers.patients, alpha=ALPHA))


def estimate(bound: Bound) -> Estimate:
    """A bound as the report shows it."""
    return Estimate(bound.estimate, bound.low, bound.high)


def or_why(make: Callable[[], T]) -> T | NotShown:
    """The thing, or why it cannot be shown."""
    try:
        return make()
    except MaintainError as error:
        return NotShown(error.message)
