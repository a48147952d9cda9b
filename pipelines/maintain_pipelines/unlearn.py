"""Plan -> Candidate: the search over the policy's methods, and the files of what it chose.

The stage, not the method, writes manifest and spec: a method returns weights and what the loader
counted, and everything that is claimed of them is derived here from that count.
"""

from __future__ import annotations

from dataclasses import replace

from maintain import codec
from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.imaging import save_weights, threads
from maintain.records import (
    Candidate,
    CaseRef,
    Decision,
    ModelSpec,
    Plan,
    RoleTable,
    Slot,
    TrainingManifest,
)
from maintain.unlearn import Unlearned, UnlearnRequest, load_method
from maintain.vocabulary import ManifestStatus, OriginKind, Role
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, Champion
from maintain_pipelines.context import Context
from maintain_pipelines.rundir import CANDIDATE, RunFolder


def unlearn(
    plan: Plan, roles: RoleTable, champion: Champion, slot: Slot, folder: RunFolder, context: Context
) -> Candidate:
    """Revise the champion by the method of this slot. Raises `InputError` when it is not eligible."""
    request = _request(plan, roles, champion, slot, folder, context)
    method = load_method(slot.method)
    eligibility = method.eligible(request)
    eligibility.require(slot.method)
    decisions = (Decision(slot.method, chosen=True, reason=_why(slot, plan)),)
    with threads((context.elsewhere or plan.environment).threads):
        result = method.unlearn(request)
    folder.guard()
    manifest = _manifest(plan, champion, roles, result)
    spec = _spec(champion.spec, result, codec.digest_of(manifest))
    save_weights(folder.weights(result.weights), result.state)
    codec.write(folder.file(f"02-{MANIFEST_FILE}"), manifest)
    codec.write(folder.file(f"02-{SPEC_FILE}"), spec)
    candidate = Candidate(
        plan=codec.digest_of(plan),
        slot=slot.number,
        method=slot.method,
        options=slot.options,
        weights=result.weights,
        spec=codec.digest_of(spec),
        manifest=codec.digest_of(manifest),
        loader_log=folder.write_table("loader-log", result.log),
        parent_weights=plan.champion.weights,
        decisions=decisions,
    )
    folder.write(CANDIDATE, candidate)
    return candidate


# --- private ---------------------------------------------------------------------------------------


def _request(
    plan: Plan, roles: RoleTable, champion: Champion, slot: Slot, folder: RunFolder, context: Context
) -> UnlearnRequest:
    folder.guard()
    folder.checkpoints.mkdir(exist_ok=True, mode=0o700)
    return UnlearnRequest(
        spec=champion.spec,
        manifest=champion.manifest,
        parent_weights=champion.version.weights,
        roles=roles,
        pixels=context.arrays,
        options=slot.options,
        seed=plan.seed,
        budget_steps=plan.budget_steps,
        device=(context.elsewhere or plan.environment).device,
        checkpoints=folder.checkpoints,
        progress=lambda epoch, epochs, _loss: context.talk.progress(slot.method, epoch, epochs),
        stop=context.stop,
    )


def _why(slot: Slot, plan: Plan) -> str:
    if slot.method == "retrain":
        return f"Trained anew on the retained cases, so the claim {plan.claim} holds by construction."
    return "The first method of the policy that passed on validation."


def _manifest(plan: Plan, champion: Champion, roles: RoleTable, result: Unlearned) -> TrainingManifest:
    learned = tuple(sorted({CaseRef(row.case_id, row.label_version) for row in result.log.rows if row.times_seen > 0}))
    anew = result.origin.kind is OriginKind.INITIALISATION
    forgotten = {row.ref for row in roles.of(Role.FORGET)}
    inherited = set(champion.manifest.unlearned)
    if not anew and not forgotten:
        raise InputError("There is nothing to move out of `learned`.", remedy="Make the plan again.")
    return TrainingManifest(
        model=plan.model,
        status=ManifestStatus.PROVEN,
        origin=result.origin,
        learned=learned,
        unlearned=() if anew else tuple(sorted(inherited | forgotten)),
        selected_with=tuple(sorted(row.ref for row in roles.of(Role.VALIDATION))),
        snapshot=champion.manifest.snapshot,
        parent=plan.champion.manifest,
    )


def _spec(parent: ModelSpec, result: Unlearned, manifest: Digest) -> ModelSpec:
    return replace(parent, recipe=result.recipe, manifest=manifest)
