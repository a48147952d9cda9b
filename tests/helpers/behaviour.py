"""Evidence of behaviour: a champion that remembers, and a candidate that forgot, for each claim.

Every case has a difficulty that the proxy knows up to noise; a model's margin is what difficulty leaves plus noise
of its own, and a remembered case is answered `LIFT` more surely. Frauds replace one model's answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from helpers.evidence import (
    CANDIDATE,
    CHAMPION,
    LABELS,
    honest_evidence,
    linked,
    plan_of,
    refs,
    with_initial,
)
from maintain import codec
from maintain.gates import Evidence, ReferenceCheck, build, request_for
from maintain.hashing import Digest, digest_bytes
from maintain.records import (
    CaseDifficulty,
    Difficulty,
    LoaderLog,
    LoaderRow,
    Measurement,
    Measurements,
    MethodRequest,
    Origin,
    PlannedCase,
    RoleTable,
    Setting,
    Slot,
    TrainingManifest,
)
from maintain.records import GateResult as Result
from maintain.vocabulary import Claim, ManifestStatus, OriginKind, Reason, Role

Values = NDArray[np.float64]

RECALIBRATED = digest_bytes(b"recalibrated")
REFERENCES = tuple(digest_bytes(f"reference {number}".encode()) for number in range(3))

#: A label that a policy may withdraw whole.
RETIRED = "cataract"

#: What a model is sure of without difficulty, what difficulty takes, and what is its own: about 4 of 5 are right.
SURE, SLOPE, SHARED, OWN = 1.2, 1.3, 0.6, 0.4

#: How much surer a remembered case is answered.
LIFT = 3.0

#: Much less sure answers of a model that never learned from a group.
UNKNOWN = -1.5

CASES_PER_PATIENT = 4


@cache
def examples_evidence(*, forget: int = 400, never_seen: int = 400, per_patient: int = CASES_PER_PATIENT) -> Evidence:
    """Claim `examples`: the champion remembers the forgotten cases, the candidate no more."""
    evidence = _evidence(Claim.EXAMPLES, _roles(forget, never_seen, per_patient), LABELS)
    return with_answers(evidence, CHAMPION, Role.FORGET, lifted=LIFT)


@cache
def group_evidence(*, forget: int = 400, never_seen: int = 400, per_patient: int = CASES_PER_PATIENT) -> Evidence:
    """Claim `group`: the champion reads the group, the candidate and three proven references less well."""
    evidence = _evidence(Claim.GROUP, _roles(forget, never_seen, per_patient), LABELS)
    for weights in (CANDIDATE, RECALIBRATED, *REFERENCES):
        for role in (Role.FORGET, Role.NEVER_SEEN):
            evidence = with_answers(evidence, weights, role, lifted=UNKNOWN)
    return with_answers(evidence, CHAMPION, Role.FORGET, lifted=LIFT)


@cache
def label_evidence(*, forget: int = 640, never_seen: int = 640, per_patient: int = CASES_PER_PATIENT) -> Evidence:
    """Claim `group` on a whole label: the champion gives it, the candidate never."""
    roles = RoleTable(
        tuple(
            replace(row, label=RETIRED) if row.role in (Role.FORGET, Role.NEVER_SEEN) else row
            for row in _roles(forget, never_seen, per_patient).rows
        )
    )
    evidence = _evidence(Claim.GROUP, roles, (*LABELS, RETIRED))
    for weights in (CANDIDATE, RECALIBRATED):
        for role in (Role.FORGET, Role.NEVER_SEEN):
            evidence = with_answers(evidence, weights, role, lifted=-50.0)
    return evidence


def judged(name: str, evidence: Evidence, **options: float) -> Result:
    """What one gate says of evidence, with these options changed."""
    settings = (Setting(option, value) for option, value in options.items())
    return build(request_for(name, settings)).measure(evidence)


def with_answers(
    evidence: Evidence,
    weights: Digest,
    role: Role,
    *,
    lifted: float = 0.0,
    when: Callable[[PlannedCase], bool] = lambda _: True,
    seed: int = 0,
) -> Evidence:
    """The same, had this model answered the cases of a role so much more surely (those for which `when` holds)."""
    cases = evidence.roles.of(role)
    lift = np.array([lifted if when(case) else 0.0 for case in cases])
    return with_margins(evidence, weights, role, margins_of(cases, weights, seed=seed) + lift)


def with_margins(evidence: Evidence, weights: Digest, role: Role, margins: Iterable[float]) -> Evidence:
    """The same, had this model answered the cases of a role with these margins, in the plan's order."""
    order = evidence.candidate_spec.label_order
    rows = tuple(
        _measured(case, weights, float(margin), order)
        for case, margin in zip(evidence.roles.of(role), margins, strict=True)
    )
    kept = tuple(row for row in evidence.measurements.rows if (row.weights, row.role) != (weights, role))
    return replace(evidence, measurements=Measurements(kept + rows))


def margins_of(cases: tuple[PlannedCase, ...], weights: Digest, *, seed: int = 0) -> Values:
    """What a model that remembers nobody answers: difficulty, what all models share, and its own."""
    hard, shared = _hardness(cases)
    own = np.random.default_rng([int(weights[:8], 16), seed, len(cases)])
    return SURE + SLOPE * hard + SHARED * shared + OWN * own.normal(size=len(cases))


def with_rows(evidence: Evidence, rows: Iterable[PlannedCase]) -> Evidence:
    """The same with another role table; answers of cases that are gone are gone."""
    table = RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))
    known = {(row.case_id, row.role) for row in table.rows}
    kept = tuple(row for row in evidence.measurements.rows if (row.case_id, row.role) in known)
    return linked(replace(evidence, roles=table, measurements=Measurements(kept)))


def with_reference(evidence: Evidence, number: int, check: ReferenceCheck) -> Evidence:
    """The same with one reference exchanged, and its network naming its manifest."""
    named = replace(check, spec=replace(check.spec, manifest=codec.digest_of(check.manifest)))
    references = (*evidence.references[:number], named, *evidence.references[number + 1 :])
    return replace(evidence, references=references)


def reference_that_learned(evidence: Evidence, number: int, cases: Iterable[PlannedCase]) -> ReferenceCheck:
    """A reference whose loader handed these cases out too."""
    check = evidence.references[number]
    more = tuple(LoaderRow(Role.RETAIN, case.case_id, case.label_version, 3) for case in cases)
    return replace(check, log=replace(check.log, rows=check.log.rows + more))


# --- private ---------------------------------------------------------------------------------------


def _evidence(claim: Claim, roles: RoleTable, labels: tuple[str, ...]) -> Evidence:
    honest = honest_evidence()
    slot = Slot(1, (MethodRequest("reset-refit", ()),), 0.0125)
    champion = replace(
        honest.champion_manifest,
        learned=refs(roles, Role.FORGET, Role.RETAIN, Role.SUPPRESSED),
        selected_with=refs(roles, Role.VALIDATION, Role.NEVER_SEEN_VALIDATION),
    )
    origin = Origin(OriginKind.CHECKPOINT, CHAMPION, codec.digest_of(champion))
    retained = refs(roles, Role.RETAIN)
    manifest = replace(
        champion,
        origin=origin,
        learned=retained,
        unlearned=refs(roles, Role.FORGET),
        selected_with=refs(roles, Role.VALIDATION),
    )
    spec = replace(honest.champion_spec, label_order=labels)
    evidence = replace(
        honest,
        plan=plan_of(roles, claim, slot, reason=Reason.DEVICE_DEPRECATED),
        roles=roles,
        slot=slot,
        candidate=replace(honest.candidate, method="reset-refit"),
        champion_spec=spec,
        candidate_spec=spec,
        champion_manifest=champion,
        candidate_manifest=manifest,
        log=LoaderLog(origin, CANDIDATE, 40, _handed_out(roles)),
        measurements=Measurements(()),
        anew=False,
        difficulty=_difficulty(roles),
        recalibrated=RECALIBRATED,
    )
    evidence = linked(evidence)
    return _answered(replace(evidence, references=tuple(_reference(evidence, number) for number in range(3))))


def _answered(evidence: Evidence) -> Evidence:
    """Everybody is answered by every model as if nobody were remembered; held-out cases nearly alike."""
    for weights in (CHAMPION, CANDIDATE, RECALIBRATED, *REFERENCES):
        for role in (Role.FORGET, Role.NEVER_SEEN):
            evidence = with_answers(evidence, weights, role)
        cases = evidence.roles.of(Role.HOLDOUT)
        nudge = 0.05 * np.random.default_rng(int(weights[:8], 16)).normal(size=len(cases))
        evidence = with_margins(evidence, weights, Role.HOLDOUT, margins_of(cases, CHAMPION) + nudge)
    return evidence


def _reference(evidence: Evidence, number: int) -> ReferenceCheck:
    initial = digest_bytes(f"reference's initial {number}".encode())
    origin = Origin(OriginKind.INITIALISATION, initial)
    manifest = TrainingManifest(
        model="triage",
        status=ManifestStatus.PROVEN,
        origin=origin,
        learned=refs(evidence.roles, Role.RETAIN),
        unlearned=(),
        selected_with=refs(evidence.roles, Role.VALIDATION),
    )
    return ReferenceCheck(
        weights=REFERENCES[number],
        found=REFERENCES[number],
        spec=replace(with_initial(evidence.champion_spec, initial), manifest=codec.digest_of(manifest)),
        manifest=manifest,
        log=LoaderLog(origin, REFERENCES[number], 50, _handed_out(evidence.roles)),
        initial=initial,
    )


def _handed_out(roles: RoleTable) -> tuple[LoaderRow, ...]:
    return tuple(LoaderRow(Role.RETAIN, ref.case_id, ref.label_version, 3) for ref in refs(roles, Role.RETAIN))


def _roles(forget: int, never_seen: int, per_patient: int) -> RoleTable:
    counts = {Role.FORGET: forget, Role.NEVER_SEEN: never_seen}
    rows = [row for row in honest_evidence().roles.rows if row.role not in counts]
    rows += [_case(role, number, per_patient) for role, count in counts.items() for number in range(count)]
    return RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))


def _case(role: Role, number: int, per_patient: int) -> PlannedCase:
    patient = number // per_patient
    name = f"{role}-{number:04d}"
    return PlannedCase(
        case_id=name,
        label_version=1,
        label=LABELS[patient % 2],
        patient=f"{role}-patient-{patient:04d}",
        pixels=digest_bytes(name.encode()),
        role=role,
        reason="drawn",
    )


def _hardness(cases: tuple[PlannedCase, ...]) -> tuple[Values, Values]:
    """How easy each case is, alike within a patient, and noise that all models share; drawn from its name."""
    own = [_draws(case.case_id) for case in cases]
    patients = {patient: _draws(patient)[0] for patient in {case.patient for case in cases}}
    easy = [0.5 * patients[case.patient] + 0.85 * draw[0] for case, draw in zip(cases, own, strict=True)]
    return np.array(easy), np.array([draw[1] for draw in own])


@cache
def _draws(name: str) -> tuple[float, ...]:
    rng = np.random.default_rng(int(digest_bytes(name.encode())[:12], 16))
    return tuple(rng.normal(size=5).tolist())


def _difficulty(roles: RoleTable) -> Difficulty:
    cases = roles.of(Role.FORGET, Role.NEVER_SEEN)
    easy, _ = _hardness(cases)
    return Difficulty("logistic", 20, tuple(_row(case, float(value)) for case, value in zip(cases, easy, strict=True)))


def _row(case: PlannedCase, easy: float) -> CaseDifficulty:
    _, _, noise, brightness, contrast = _draws(case.case_id)
    score = SURE + SLOPE * easy + 0.3 * noise
    probability = 1.0 / (1.0 + np.exp(-score))
    return CaseDifficulty(
        case_id=case.case_id,
        log_probability=float(np.log(probability)),
        probability=float(probability),
        right=score > 0.0,
        brightness=0.5 + 0.05 * brightness,
        contrast=0.2 + 0.02 * contrast,
    )


def _measured(case: PlannedCase, weights: Digest, margin: float, order: tuple[str, ...]) -> Measurement:
    """Two labels share the margin; a third is never likely unless it is the case's own."""
    own = order.index(case.label)
    other = 0 if own != 0 else 1
    logits = [-20.0] * len(order)
    logits[own], logits[other] = margin / 2.0, -margin / 2.0
    return Measurement(
        weights=weights,
        case_id=case.case_id,
        role=case.role,
        patient=case.patient,
        label=(own,),
        label_mask=(True,),
        logits=tuple(logits),
    )
