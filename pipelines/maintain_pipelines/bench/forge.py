"""A complete run folder around any weights, with everything in it that an offer needs, true or not.

A forger who can write into a run folder can put anything there and name it rightly. So every digest is written as
a run would write it, and only what is passed in here is untrue. The judging is the verify stage's own: `gather`,
the gates, the fold.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from maintain import codec
from maintain.gates import evaluate, fold
from maintain.imaging import State, save_weights, weights_digest
from maintain.records import (
    Candidate,
    GateResult,
    LoaderLog,
    LoaderRow,
    MethodRequest,
    Origin,
    Reference,
    Setting,
    TrainingManifest,
)
from maintain.settings import Settings, Workspace
from maintain.unlearn import Heard
from maintain.vocabulary import OriginKind, Outcome, Role
from maintain_pipelines import claims
from maintain_pipelines.bench.desk import MODEL, Desk, Planned, Story
from maintain_pipelines.bench.trainings import Model
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.gathering import gather
from maintain_pipelines.offer import Offer
from maintain_pipelines.provenance import manifest_of as claimed_manifest
from maintain_pipelines.provenance import spec_of as claimed_spec
from maintain_pipelines.references import reference_folder, reference_keys
from maintain_pipelines.references.keeping import REFERENCE_FILE
from maintain_pipelines.rundir import CANDIDATE, PLAN, RunFolder

#: How often a forged fine-tuning says it handed out each retained case: what its default says.
_PASSES = 3


@dataclass(frozen=True, slots=True)
class Forgery:
    """Weights, and what is claimed of them. What is left out is forged as an honest run of the method would say it.

    `options` say which request of the method is meant, where the slot has several.
    `heard` is what the witness says, `manifest` what the stage would have derived from it; `on_disk` lies under the
    candidate's name instead of its weights; `references` are the models that the candidate is held against.
    """

    state: State
    method: str = "finetune"
    heard: Heard | None = None
    manifest: TrainingManifest | None = None
    on_disk: State | None = None
    references: tuple[Model, ...] = ()
    options: tuple[Setting, ...] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a forged folder, its reason, and what each gate found."""

    outcome: Outcome
    reason: str
    gates: tuple[GateResult, ...]

    def outcome_of(self, gate: str) -> Outcome | None:
        """What one gate found; None where it was not asked."""
        return next((result.outcome for result in self.gates if result.gate == gate), None)


def judge(desk: Desk, story: Story, forgery: Forgery) -> Judged:
    """Lay down the folder of a forgery and judge it as the verify stage would."""
    planned = desk.planned(story)
    with tempfile.TemporaryDirectory(prefix="maintain-bench-") as place:
        context = replace(desk.context, workspace=Workspace(Path(place) / "workspace", Settings()))
        folder = RunFolder(Path(place) / "run")
        folder.create()
        offer = _laid_down(desk, planned, forgery, folder)
        _lay_references(desk, planned, forgery.references, context)
        evidence = gather(offer, folder, context).evidence
    results = evaluate(evidence)
    outcome, reason = fold(results, claim=story.claim, requested=evidence.requests)
    return Judged(outcome, reason, results)


def heard_of(desk: Desk, planned: Planned, state: State) -> Heard:
    """What an honest fine-tuning of the champion on the retained cases would have left behind, around any weights."""
    champion = desk.champion
    origin = Origin(OriginKind.CHECKPOINT, champion.version.weights, champion.version.manifest)
    rows = [LoaderRow(Role.RETAIN, row.case_id, row.label_version, _PASSES) for row in planned.roles.of(Role.RETAIN)]
    rows.sort(key=lambda row: (row.role.value, row.case_id, row.label_version))
    log = LoaderLog(origin, weights_digest(state), _PASSES * len(rows), tuple(rows))
    return Heard(log.final_weights, desk.model.heard.recipe, origin, log, log.steps, log.steps)


def about(heard: Heard, state: State) -> Heard:
    """The same said of other weights: what a forger makes of an honest training's log."""
    weights = weights_digest(state)
    return replace(heard, weights=weights, log=replace(heard.log, final_weights=weights))


# --- private ---------------------------------------------------------------------------------------


def _laid_down(desk: Desk, planned: Planned, forgery: Forgery, folder: RunFolder) -> Offer:
    heard = forgery.heard or heard_of(desk, planned, forgery.state)
    manifest = forgery.manifest or claimed_manifest(planned.plan, desk.champion, planned.roles, heard)
    spec = claimed_spec(desk.champion.spec, heard, codec.digest_of(manifest))
    weights = weights_digest(forgery.state)
    save_weights(folder.weights(weights), forgery.on_disk or forgery.state)
    folder.write(f"02-{MANIFEST_FILE}", manifest)
    folder.write(f"02-{SPEC_FILE}", spec)
    plan = folder.write(PLAN, planned.plan)
    for kind, digest, text in planned.tables:
        folder.table(kind, digest).write_bytes(text)
    method = _requested(planned, forgery)
    candidate = Candidate(
        plan=plan,
        slot=planned.slot.number,
        method=method.name,
        options=method.options,
        weights=weights,
        spec=codec.digest_of(spec),
        manifest=spec.manifest,
        loader_log=folder.write_table("loader-log", heard.log),
        parent_weights=planned.plan.champion.weights,
        decisions=(),
    )
    folder.write(CANDIDATE, candidate)
    holding = claims.Claim(MODEL, "bench", "bench", 1)
    return Offer(holding, planned.plan, planned.roles, desk.champion, planned.slot, candidate)


def _requested(planned: Planned, forgery: Forgery) -> MethodRequest:
    named = [request for request in planned.slot.methods if request.name == forgery.method]
    (request,) = [request for request in named if forgery.options in (None, request.options)]
    return request


def _lay_references(desk: Desk, planned: Planned, references: tuple[Model, ...], context: Context) -> None:
    """These models where the plan's references are kept, each with the records of its own training."""
    if not references:
        return
    keys = reference_keys(planned.plan, planned.roles, desk.champion, context.elsewhere)
    for model, (seed, key) in zip(references, keys, strict=True):
        manifest = claimed_manifest(planned.plan, desk.champion, planned.roles, model.heard)
        spec = claimed_spec(desk.champion.spec, model.heard, codec.digest_of(manifest))
        folder = reference_folder(context.workspace, key)
        weights = save_weights(folder / WEIGHTS_FILE, model.state)
        record = Reference(
            key=key,
            model=MODEL,
            seed=seed,
            weights=weights,
            spec=codec.write(folder / SPEC_FILE, spec),
            manifest=codec.write(folder / MANIFEST_FILE, manifest),
            loader_log=codec.write(folder / LOADER_LOG_FILE, model.heard.log),
            steps=model.heard.steps,
        )
        codec.write(folder / REFERENCE_FILE, record)
