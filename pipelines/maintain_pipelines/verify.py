"""Candidate -> Verdict: the one stage that opens the holdout.

The look is in the ledger before the first held-out image is read; every digest is recomputed from
the files as they lie, and the gates see only what is gathered here.
"""

from __future__ import annotations

from dataclasses import replace

from maintain import codec
from maintain.database import UnitOfWork
from maintain.errors import NotEvaluatedError
from maintain.gates import Ancestor, Evidence, FileCheck, RunFile, WeightsCheck, evaluate, fold
from maintain.hashing import digest_bytes
from maintain.imaging import all_finite, blueprint_of, load_model, read_weights, threads, weights_digest
from maintain.measure import measure
from maintain.records import (
    LoaderLog,
    Measurements,
    ModelSpec,
    TrainingManifest,
    Verdict,
)
from maintain.unlearn import method_info
from maintain.vocabulary import Claim, Role
from maintain_pipelines import journal
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, ancestors_of
from maintain_pipelines.context import Context
from maintain_pipelines.offer import Offer
from maintain_pipelines.rundir import CANDIDATE, PLAN, VERDICT, RunFolder
from maintain_pipelines.runlog import logged
from maintain_registry import Event, EventKind

#: Roles whose answers the gates may see for the claim never-saw: consent knows no exception, so no
#: case of the forget group is read again, not even to measure it.
MEASURED_ROLES = (Role.HOLDOUT,)


@logged("verify")
def verify(offer: Offer, folder: RunFolder, context: Context) -> Verdict:
    """Judge a candidate by every gate of its plan, and write the verdict."""
    look = _take_look(offer, context)
    spec = codec.read(folder.file(f"02-{SPEC_FILE}"), ModelSpec)
    weights = _check_weights(offer, spec, folder, context)
    measurements = Measurements(())
    if weights.finite:
        try:
            measurements = _measure(offer, spec, folder, context)
        except NotEvaluatedError:
            weights = replace(weights, finite=False)
    evidence = _evidence(offer, spec, weights, measurements, folder, ancestors=_ancestors(offer, context))
    results = evaluate(evidence)
    outcome, reason = fold(results, claim=offer.plan.claim, requested=evidence.requests)
    verdict = Verdict(
        candidate=codec.digest_of(offer.candidate),
        slot=offer.slot.number,
        outcome=outcome,
        reason=reason,
        gates=results,
        measurements=folder.write_table("measurements", measurements),
        look=look,
    )
    folder.write(VERDICT, verdict)
    return verdict


def record_verdict(unit: UnitOfWork, offer: Offer, verdict: Verdict, context: Context) -> None:
    """Write the verdict into the ledger, whatever it is, in the transaction that moves the run."""
    body = {
        "run": offer.run,
        "candidate": verdict.candidate,
        "verdict": codec.digest_of(verdict),
        "outcome": verdict.outcome.value,
        "gates": {result.gate: result.outcome.value for result in verdict.gates},
        "slot": verdict.slot,
    }
    context.ledger.append(unit, Event(EventKind.VERDICT_REACHED, subject=offer.plan.model, body=body))


# --- private ---------------------------------------------------------------------------------------


def _take_look(offer: Offer, context: Context) -> int:
    patients = tuple(sorted({row.patient for row in offer.roles.of(*MEASURED_ROLES)}))
    candidate = codec.digest_of(offer.candidate)
    with context.ledger.begin(context.database) as unit:
        number, new = journal.take_look(
            unit,
            offer.claim,
            candidate,
            patients=patients,
            now=context.clock.now(),
        )
        if new:
            body = {"run": offer.run, "candidate": candidate, "look": number, "patients": len(patients)}
            context.ledger.append(unit, Event(EventKind.HOLDOUT_LOOKED, subject=offer.plan.model, body=body))
    return number


def _check_weights(offer: Offer, spec: ModelSpec, folder: RunFolder, context: Context) -> WeightsCheck:
    path = folder.weights(offer.candidate.weights)
    found = folder.digest(path) or ""
    state = read_weights(path)
    parent = context.store.get(offer.plan.model, offer.plan.champion.version).read(WEIGHTS_FILE)
    initial = None
    if spec.recipe is not None:
        with threads((context.elsewhere or offer.plan.environment).threads):
            initial = weights_digest(blueprint_of(spec).build(spec.recipe.seed).state_dict())
    return WeightsCheck(candidate=found, parent=digest_bytes(parent), finite=all_finite(state), initial=initial)


def _measure(offer: Offer, spec: ModelSpec, folder: RunFolder, context: Context) -> Measurements:
    cases = offer.roles.of(*MEASURED_ROLES)
    device = (context.elsewhere or offer.plan.environment).device
    stored = context.store.get(offer.plan.model, offer.plan.champion.version)
    parent = folder.path / f"champion.{WEIGHTS_FILE}"
    folder.guard()
    codec.write_bytes(parent, stored.read(WEIGHTS_FILE))
    try:
        champion_network = load_model(offer.champion.spec, parent, expected=offer.plan.champion.weights)
    finally:
        parent.unlink(missing_ok=True)
    candidate_network = load_model(spec, folder.weights(offer.candidate.weights))
    with threads((context.elsewhere or offer.plan.environment).threads):
        context.talk.progress("measuring", 0, 2)
        before = measure(
            champion_network,
            offer.champion.spec,
            cases,
            context.arrays,
            weights=offer.plan.champion.weights,
            device=device,
        )
        context.talk.progress("measuring", 1, 2)
        after = measure(candidate_network, spec, cases, context.arrays, weights=offer.candidate.weights, device=device)
        context.talk.progress("measuring", 2, 2)
    return Measurements(before + after)


def _ancestors(offer: Offer, context: Context) -> tuple[Ancestor, ...]:
    found = ancestors_of(context.store, offer.champion)
    return tuple(Ancestor(version.version.weights, version.manifest) for version in found)


def _evidence(
    offer: Offer,
    spec: ModelSpec,
    weights: WeightsCheck,
    measurements: Measurements,
    folder: RunFolder,
    *,
    ancestors: tuple[Ancestor, ...],
) -> Evidence:
    candidate = offer.candidate
    log_path = folder.table("loader-log", candidate.loader_log)
    manifest_path = folder.file(f"02-{MANIFEST_FILE}")
    checks = (
        (RunFile.PLAN, folder.file(PLAN), candidate.plan),
        (RunFile.ROLES, folder.table("roles", offer.plan.roles), offer.plan.roles),
        (RunFile.CANDIDATE, folder.file(CANDIDATE), codec.digest_of(candidate)),
        (RunFile.WEIGHTS, folder.weights(candidate.weights), candidate.weights),
        (RunFile.SPEC, folder.file(f"02-{SPEC_FILE}"), candidate.spec),
        (RunFile.MANIFEST, manifest_path, candidate.manifest),
        (RunFile.LOADER_LOG, log_path, candidate.loader_log),
    )
    return Evidence(
        plan=offer.plan,
        plan_digest=codec.digest_of(offer.plan),
        roles=offer.roles,
        slot=offer.slot,
        candidate=candidate,
        candidate_digest=codec.digest_of(candidate),
        champion_spec=offer.champion.spec,
        candidate_spec=spec,
        champion_manifest=offer.champion.manifest,
        candidate_manifest=codec.read(manifest_path, TrainingManifest),
        log=codec.read(log_path, LoaderLog),
        measurements=measurements,
        weights=weights,
        files=tuple(FileCheck(name.value, expected, folder.digest(path)) for name, path, expected in checks),
        consumes_forget=method_info(candidate.method).consumes_forget,
        anew=Claim.NEVER_SAW in method_info(candidate.method).claims,
        ancestors=ancestors,
    )
