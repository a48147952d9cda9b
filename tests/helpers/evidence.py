"""Evidence of an honest retrain, and the means to forge it so that only the forgery itself shows.

`honest_evidence()` passes every gate. A fraud replaces one part and calls `linked`, which writes all
digests anew, as a forger with a complete run folder would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np

from maintain import codec
from maintain.gates import Evidence, FileCheck, RunFile, WeightsCheck, gates_for, gates_of, request_for
from maintain.hashing import Digest, digest_bytes
from maintain.records import (
    Candidate,
    CaseRef,
    ChampionRef,
    Decision,
    Environment,
    LoaderLog,
    LoaderRow,
    Measurement,
    Measurements,
    MethodRequest,
    ModelSpec,
    Network,
    Origin,
    Plan,
    PlannedCase,
    Recipe,
    RoleCount,
    RoleTable,
    Setting,
    Slot,
    Step,
    TrainingManifest,
)
from maintain.vocabulary import Alias, Claim, Head, ManifestStatus, OriginKind, Precision, Reason, Role

LABELS = ("glaucoma", "normal")
CHAMPION, CANDIDATE, INITIAL, FIRST = (
    digest_bytes(name) for name in (b"champion", b"candidate", b"initial", b"champion's initial")
)

#: Cases of each role; the holdout is large enough for a small difference to pass.
COUNTS = {
    Role.FORGET: 6,
    Role.RETAIN: 20,
    Role.VALIDATION: 6,
    Role.HOLDOUT: 480,
    Role.NEVER_SEEN_VALIDATION: 3,
    Role.NEVER_SEEN: 4,
    Role.SUPPRESSED: 2,
}
CASES_PER_PATIENT = 2


@cache
def honest_evidence(*, claim: Claim = Claim.NEVER_SAW, holdout: int = 480, seed: int = 5) -> Evidence:
    """A retrain without the forget set, slightly different from its champion."""
    roles = role_table(holdout=holdout)
    learned = refs(roles, Role.FORGET, Role.RETAIN, Role.SUPPRESSED)
    selected = refs(roles, Role.VALIDATION)
    champion_manifest = TrainingManifest(
        model="triage",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, FIRST),
        learned=learned,
        unlearned=(),
        selected_with=tuple(sorted((*selected, *refs(roles, Role.NEVER_SEEN_VALIDATION)))),
    )
    origin = Origin(OriginKind.INITIALISATION, INITIAL)
    retained = refs(roles, Role.RETAIN)
    spec = model_spec()
    slot = Slot(1, (MethodRequest("retrain", ()),), 0.0125)
    evidence = Evidence(
        plan=plan_of(roles, claim, slot),
        plan_digest="",
        roles=roles,
        slot=slot,
        candidate=Candidate(
            plan="",
            slot=1,
            method="retrain",
            options=(),
            weights=CANDIDATE,
            spec="",
            manifest="",
            loader_log="",
            parent_weights=CHAMPION,
            decisions=(Decision("retrain", True, "the only method"),),
        ),
        candidate_digest="",
        champion_spec=spec,
        candidate_spec=with_initial(spec, INITIAL),
        champion_manifest=champion_manifest,
        candidate_manifest=replace(champion_manifest, origin=origin, learned=retained, selected_with=selected),
        log=LoaderLog(
            origin=origin,
            final_weights=CANDIDATE,
            steps=40,
            rows=tuple(LoaderRow(Role.RETAIN, ref.case_id, ref.label_version, 3) for ref in retained),
        ),
        measurements=measurements_of(roles, seed=seed),
        weights=WeightsCheck(candidate=CANDIDATE, parent=CHAMPION, finite=True, initial=INITIAL),
        files=(),
        anew=True,
    )
    return linked(evidence)


def linked(evidence: Evidence) -> Evidence:
    """The same with every digest of the chain and of the run folder written anew."""
    champion_spec = replace(evidence.champion_spec, manifest=codec.digest_of(evidence.champion_manifest))
    candidate_spec = replace(evidence.candidate_spec, manifest=codec.digest_of(evidence.candidate_manifest))
    champion = replace(evidence.plan.champion, spec=codec.digest_of(champion_spec), manifest=champion_spec.manifest)
    plan = replace(evidence.plan, roles=codec.digest_of(evidence.roles), champion=champion)
    candidate = replace(
        evidence.candidate,
        plan=codec.digest_of(plan),
        spec=codec.digest_of(candidate_spec),
        manifest=candidate_spec.manifest,
        loader_log=codec.digest_of(evidence.log),
    )
    return replace(
        evidence,
        plan=plan,
        plan_digest=candidate.plan,
        candidate=candidate,
        candidate_digest=codec.digest_of(candidate),
        champion_spec=champion_spec,
        candidate_spec=candidate_spec,
        files=files_of(plan, candidate),
    )


def files_of(plan: Plan, candidate: Candidate) -> tuple[FileCheck, ...]:
    """A complete run folder in which every file is as it was named."""
    named = {
        RunFile.PLAN: candidate.plan,
        RunFile.ROLES: plan.roles,
        RunFile.CANDIDATE: codec.digest_of(candidate),
        RunFile.WEIGHTS: candidate.weights,
        RunFile.SPEC: candidate.spec,
        RunFile.MANIFEST: candidate.manifest,
        RunFile.LOADER_LOG: candidate.loader_log,
    }
    return tuple(FileCheck(name, digest, digest) for name, digest in named.items())


def role_table(*, holdout: int = 480) -> RoleTable:
    """Cases of every role, two a patient, each with pixels of its own."""
    rows = [
        planned(role, number) for role, count in {**COUNTS, Role.HOLDOUT: holdout}.items() for number in range(count)
    ]
    return RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))


def planned(role: Role, number: int) -> PlannedCase:
    """One case of a plan."""
    name = f"{role}-{number:04d}"
    return PlannedCase(
        case_id=name,
        label_version=1,
        label=LABELS[number // CASES_PER_PATIENT % 2],
        patient=f"{role}-patient-{number // CASES_PER_PATIENT:04d}",
        pixels=digest_bytes(name.encode()),
        role=role,
        reason="drawn",
    )


def refs(roles: RoleTable, *kinds: Role) -> tuple[CaseRef, ...]:
    """The cases of these roles, as a manifest lists them."""
    return tuple(sorted(row.ref for row in roles.of(*kinds)))


def learning(evidence: Evidence, cases: Iterable[PlannedCase], *, role: Role = Role.RETAIN) -> Evidence:
    """The same, had the loader handed these cases out too and the manifest owned up to it."""
    more = [row.ref for row in cases]
    rows = (*evidence.log.rows, *(LoaderRow(role, ref.case_id, ref.label_version, 3) for ref in more))
    manifest = evidence.candidate_manifest
    learned = tuple(sorted({*manifest.learned, *more}))
    return linked(
        replace(
            evidence,
            log=replace(evidence.log, rows=rows),
            candidate_manifest=replace(manifest, learned=learned),
        )
    )


def with_role(evidence: Evidence, row: PlannedCase) -> Evidence:
    """The same with one more case in the plan."""
    rows = tuple(sorted((*evidence.roles.rows, row), key=lambda case: (case.case_id, case.label_version)))
    return linked(replace(evidence, roles=RoleTable(rows)))


def answering(evidence: Evidence, logits: Iterable[tuple[float, ...]]) -> Evidence:
    """The same, had the candidate answered the holdout with these logits, in the plan's order."""
    answers = iter(logits)
    rows = tuple(
        replace(row, logits=next(answers)) if row.weights == evidence.candidate.weights else row
        for row in evidence.measurements.rows
    )
    return replace(evidence, measurements=Measurements(rows))


def measurements_of(roles: RoleTable, *, seed: int) -> Measurements:
    """The holdout answered by both models: right in nine of ten cases, and nearly alike."""
    rng = np.random.default_rng(seed)
    rows: list[Measurement] = []
    for row in roles.of(Role.HOLDOUT):
        truth = LABELS.index(row.label)
        lean = rng.normal(1.3 if truth else -1.3)
        rows += [
            measured(row, weights, (-lean - nudge, lean + nudge))
            for weights, nudge in ((CHAMPION, 0.0), (CANDIDATE, rng.normal(scale=0.05)))
        ]
    return Measurements(tuple(rows))


def measured(row: PlannedCase, weights: Digest, logits: tuple[float, ...]) -> Measurement:
    """One answer to one case."""
    return Measurement(
        weights=weights,
        case_id=row.case_id,
        role=row.role,
        patient=row.patient,
        label=(LABELS.index(row.label),),
        label_mask=(True,),
        logits=tuple(float(logit) for logit in logits),
    )


def plan_of(roles: RoleTable, claim: Claim, slot: Slot, *, reason: Reason = Reason.CONSENT) -> Plan:
    """A plan with the default gates of a claim and two slots."""
    counts = tuple(RoleCount(role, len(roles.of(role)), len({row.patient for row in roles.of(role)})) for role in Role)
    return Plan(
        policy=digest_bytes(b"policy"),
        policy_name="withdraw",
        reason=reason,
        claim=claim,
        model="triage",
        champion=ChampionRef(1, CHAMPION, "", ""),
        roles="",
        counts=counts,
        slots=(slot, Slot(2, (MethodRequest("retrain", ()),), 0.0125)),
        gate_set="default@1",
        gates=gates_of(
            tuple(request_for(info.name) for info in gates_for(claim)),
            claim=claim,
            reason=reason,
            roles=roles,
        ),
        seed=7,
        budget_steps=1000,
        alias=Alias.CANDIDATE,
        environment=Environment("m", "p", "cpu", 1, "3.11", "2", "0", Precision.FP32),
    )


def model_spec() -> ModelSpec:
    """A softmax network of two classes."""
    return ModelSpec(
        model="triage",
        network=Network("small-cnn", (Setting("width", 8),)),
        input_shape=(3, 64, 64),
        head=Head.SOFTMAX,
        label_name="diagnosis",
        label_order=LABELS,
        operating_threshold=None,
        preprocessing=(Step("scale", 1),),
        recipe=Recipe("sgd", 0.1, 0.9, 1e-4, "one-cycle", 2, 16, 1.0, "none", 7, FIRST),
        manifest="",
    )


def with_initial(spec: ModelSpec, initial: Digest) -> ModelSpec:
    """The same network, trained from other initial weights."""
    if spec.recipe is None:
        raise ValueError("a specification without a recipe has no initial weights")
    return replace(spec, recipe=replace(spec.recipe, initial_weights=initial))
