"""The candidate beside the champion and the references: what each cost, keeps, and changes on retained cases."""

from __future__ import annotations

import contextlib
import json

import numpy as np

from maintain import codec
from maintain.errors import MaintainError
from maintain.gates import Evidence
from maintain.gates.answers import Answers, answers_of
from maintain.hashing import Digest
from maintain.records import LoaderLog, Reference
from maintain.report import Comparison, Contender, Estimate
from maintain.statistics import share_bound
from maintain.unlearn import method_info, recipe_steps
from maintain.vocabulary import Claim, Role
from maintain_pipelines.champions import LOADER_LOG_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.reporting.evidence import ALPHA, Left, estimate, right_share
from maintain_pipelines.rundir import LOG

#: Where the record of a reference lies in its folder.
REFERENCE_FILE = "reference.json"


def comparison_of(left: Left, evidence: Evidence, context: Context) -> Comparison:
    """Champion, candidate, and the references that the verdict names; a retrain by the recipe where there are none.

    Raises `NotEvaluatedError` where retained held-out cases were not measured whole.
    """
    champion = answers_of(evidence, left.plan.champion.weights, Role.HOLDOUT)
    candidate = answers_of(evidence, left.candidate.weights, Role.HOLDOUT)
    made = _log_of_champion(left, context)
    rows = [
        Contender(
            f"version {left.plan.champion.version}, the champion", *_cost(made), None, right_share(champion), None
        ),
        Contender(
            f"candidate: {left.candidate.told}",
            _spent(left),
            _cost(left.log)[1],
            _seconds(left),
            right_share(candidate),
            _churn(champion, candidate),
        ),
    ]
    rows += _references(left, evidence, champion, context)
    rows += _retrain(left, evidence)
    return Comparison(tuple(rows), _note(left))


# --- private ---------------------------------------------------------------------------------------


def _references(left: Left, evidence: Evidence, champion: Answers, context: Context) -> list[Contender]:
    kept = _kept(context)
    rows = []
    for number, weights in enumerate(left.verdict.references, start=1):
        log = kept.get(weights)
        same = ", the candidate itself" if weights == left.candidate.weights else ""
        answers = answers_of(evidence, weights, Role.HOLDOUT)
        name = f"reference {number} of {len(left.verdict.references)}{same}"
        rows.append(Contender(name, *_cost(log), None, right_share(answers), _churn(champion, answers)))
    return rows


def _retrain(left: Left, evidence: Evidence) -> list[Contender]:
    """What training anew would take, where nobody did it."""
    if left.verdict.references or Claim.NEVER_SAW in method_info(left.candidate.method).claims:
        return []
    steps = recipe_steps(evidence.candidate_spec.recipe, len(left.roles.of(Role.RETAIN)))
    return [] if steps is None else [Contender("a retrain, by the recipe; not made", steps, None, None, None, None)]


def _note(left: Left) -> str:
    lost = sum(decision.steps for decision in left.candidate.decisions if not decision.chosen)
    search = f" Methods that were left took another {lost} steps." if lost else ""
    if _spent(left) > left.log.steps:
        search += f" The weights that were kept are those after {left.log.steps} steps; images are counted to there."
    if left.verdict.references:
        said = "Each reference is a retrain without the group and could be released instead."
    elif Claim.NEVER_SAW in method_info(left.candidate.method).claims:
        said = "No reference is shown: the candidate is a retrain itself."
    else:
        said = "No reference was trained for this plan, so nothing is known of what a retrain would keep or change."
    chosen = left.candidate.chosen
    reused = left.log.steps and chosen is not None and not chosen.steps
    before = " It was trained before this run, so the seconds leave that out." if reused else ""
    return f"{said}{search}{before} Seconds are those of the whole search on the machine that is named below."


def _cost(log: LoaderLog | None) -> tuple[int | None, int | None]:
    """Optimiser steps, and images handed to training."""
    return (None, None) if log is None else (log.steps, sum(row.times_seen for row in log.rows))


def _spent(left: Left) -> int:
    """The candidate's steps, with those after the look whose weights were kept."""
    chosen = left.candidate.chosen
    return max(left.log.steps, 0 if chosen is None else chosen.steps)


def _churn(before: Answers, after: Answers) -> Estimate:
    changed = np.asarray(before.decided() != after.decided(), dtype=np.bool_)
    return estimate(share_bound(changed, before.patients, alpha=ALPHA))


def _log_of_champion(left: Left, context: Context) -> LoaderLog | None:
    plan = left.plan
    with contextlib.suppress(MaintainError, OSError):
        data = context.store.get(plan.model, plan.champion.version).read(LOADER_LOG_FILE)
        return codec.from_text(LoaderLog, data.decode(), source=LOADER_LOG_FILE)
    return None


def _kept(context: Context) -> dict[Digest, LoaderLog]:
    """The logs of the references of this workspace, by the digest of their weights; weights are not read."""
    found: dict[Digest, LoaderLog] = {}
    root = context.workspace.references
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        with contextlib.suppress(MaintainError, OSError):
            record = codec.read(folder / REFERENCE_FILE, Reference)
            found[record.weights] = codec.read(folder / LOADER_LOG_FILE, LoaderLog, expected=record.loader_log)
    return found


def _seconds(left: Left) -> float | None:
    """How long unlearning took in this slot, as `run.log` has it; None where it was interrupted or not noted."""
    path, found = left.folder.path / LOG, None
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        with contextlib.suppress(ValueError):
            noted = json.loads(text)
            if noted.get("event") == "unlearn-ended" and noted.get("slot") == left.candidate.slot:
                found = noted.get("seconds")
    return float(found) if isinstance(found, (int, float)) else None
