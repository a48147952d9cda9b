"""Each fraud comes with a complete, consistently forged run folder and is caught by the gate named here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from helpers.evidence import (
    CHAMPION,
    answering,
    honest_evidence,
    learning,
    linked,
    planned,
    with_initial,
    with_role,
)
from maintain.gates import Evidence, evaluate, fold
from maintain.hashing import digest_bytes
from maintain.records import LoaderRow, Network, Origin, PlannedCase
from maintain.vocabulary import ManifestStatus, OriginKind, Outcome, Role

FAIL, OPEN = Outcome.FAIL, Outcome.NOT_EVALUATED
OTHER = digest_bytes(b"other")


def unchanged_weights(honest: Evidence) -> Evidence:
    return with_weights(honest, CHAMPION)


def weights_of_another_file(honest: Evidence) -> Evidence:
    return replace(honest, weights=replace(honest.weights, candidate=OTHER))


def nan_weights(honest: Evidence) -> Evidence:
    return replace(honest, weights=replace(honest.weights, finite=False))


def nan_answers(honest: Evidence) -> Evidence:
    return answering(honest, [(math.nan, 0.0), *((0.0, 1.0) for _ in holdout(honest)[1:])])


def log_with_a_forgotten_case(honest: Evidence) -> Evidence:
    return learning(honest, honest.roles.of(Role.FORGET)[:1])


def log_with_a_forgotten_case_called_validation(honest: Evidence) -> Evidence:
    return learning(honest, honest.roles.of(Role.FORGET)[:1], role=Role.VALIDATION)


def log_with_a_forgotten_case_under_a_new_label_version(honest: Evidence) -> Evidence:
    row = replace(honest.roles.of(Role.FORGET)[0], label_version=2, role=Role.RETAIN)
    return learning(with_role(honest, row), [row])


def log_with_an_exact_copy(honest: Evidence) -> Evidence:
    twin = copy_of_a_forgotten_case(honest)
    return learning(with_role(honest, twin), [twin])


def log_with_a_copy_of_a_case_of_the_group(honest: Evidence) -> Evidence:
    twin = replace(planned(Role.RETAIN, 900), pixels=honest.roles.of(Role.NEVER_SEEN)[0].pixels)
    return learning(with_role(honest, twin), [twin])


def log_with_a_suppressed_case(honest: Evidence) -> Evidence:
    return learning(honest, honest.roles.of(Role.SUPPRESSED)[:1])


def log_with_a_holdout_case(honest: Evidence) -> Evidence:
    return learning(honest, honest.roles.of(Role.HOLDOUT)[:1])


def log_missing_a_learned_case(honest: Evidence) -> Evidence:
    return linked(replace(honest, log=replace(honest.log, rows=honest.log.rows[1:])))


def log_of_a_stranger(honest: Evidence) -> Evidence:
    return learning(honest, [planned(Role.RETAIN, 901)])


def log_of_a_wrong_label_version(honest: Evidence) -> Evidence:
    return learning(honest, [replace(honest.roles.of(Role.RETAIN)[0], label_version=2)])


def log_of_other_weights(honest: Evidence) -> Evidence:
    return linked(replace(honest, log=replace(honest.log, final_weights=OTHER)))


def log_of_nothing(honest: Evidence) -> Evidence:
    manifest = replace(honest.candidate_manifest, learned=())
    return linked(replace(honest, log=replace(honest.log, rows=()), candidate_manifest=manifest))


def consumption_beyond_the_method(honest: Evidence) -> Evidence:
    return learning(honest, honest.roles.of(Role.FORGET)[:1], role=Role.FORGET)


def consumption_short_of_the_method(honest: Evidence) -> Evidence:
    return replace(honest, consumes_forget=True)


def manifest_with_more_than_the_log(honest: Evidence) -> Evidence:
    manifest = honest.candidate_manifest
    more = tuple(sorted((*manifest.learned, honest.roles.of(Role.VALIDATION)[0].ref)))
    return linked(replace(honest, candidate_manifest=replace(manifest, learned=more)))


def manifest_that_unlearned_from_scratch(honest: Evidence) -> Evidence:
    forgotten = tuple(row.ref for row in honest.roles.of(Role.FORGET))
    manifest = replace(honest.candidate_manifest, unlearned=forgotten)
    return linked(replace(honest, candidate_manifest=manifest))


def manifest_that_selected_with_a_forgotten_case(honest: Evidence) -> Evidence:
    manifest = honest.candidate_manifest
    selected = (*manifest.selected_with, honest.roles.of(Role.FORGET)[0].ref)
    return linked(replace(honest, candidate_manifest=replace(manifest, selected_with=selected)))


def manifest_of_another_origin(honest: Evidence) -> Evidence:
    origin = Origin(OriginKind.INITIALISATION, OTHER)
    return linked(replace(honest, candidate_manifest=replace(honest.candidate_manifest, origin=origin)))


def manifest_that_is_only_declared(honest: Evidence) -> Evidence:
    manifest = replace(honest.candidate_manifest, status=ManifestStatus.DECLARED)
    return linked(replace(honest, candidate_manifest=manifest))


def started_from_the_champion(honest: Evidence) -> Evidence:
    """The recipe says initialisation and names the champion's weights; its seed gives others."""
    return from_origin(honest, Origin(OriginKind.INITIALISATION, CHAMPION))


def started_from_a_checkpoint(honest: Evidence) -> Evidence:
    return from_origin(honest, Origin(OriginKind.CHECKPOINT, CHAMPION, honest.plan.champion.manifest))


def started_from_a_checkpoint_of_nobody(honest: Evidence) -> Evidence:
    return from_origin(honest, Origin(OriginKind.CHECKPOINT, OTHER, OTHER))


def seed_that_nobody_replayed(honest: Evidence) -> Evidence:
    return replace(honest, weights=replace(honest.weights, initial=None))


def missing_file(honest: Evidence) -> Evidence:
    return replace(honest, files=(*honest.files[:-1], replace(honest.files[-1], found=None)))


def unchecked_file(honest: Evidence) -> Evidence:
    return replace(honest, files=honest.files[1:])


def no_run_folder(honest: Evidence) -> Evidence:
    return replace(honest, files=())


def changed_file(honest: Evidence) -> Evidence:
    return replace(honest, files=(replace(honest.files[0], found=OTHER), *honest.files[1:]))


def file_compared_with_itself(honest: Evidence) -> Evidence:
    return replace(honest, files=(replace(honest.files[0], found=OTHER, expected=OTHER), *honest.files[1:]))


def swapped_log(honest: Evidence) -> Evidence:
    """The log that is shown is not the one that was named."""
    return replace(honest, log=replace(honest.log, steps=honest.log.steps + 1))


def other_network(honest: Evidence) -> Evidence:
    return linked(replace(honest, candidate_spec=replace(honest.candidate_spec, network=Network("larger"))))


def other_preprocessing(honest: Evidence) -> Evidence:
    return linked(replace(honest, candidate_spec=replace(honest.candidate_spec, preprocessing=())))


def other_parent(honest: Evidence) -> Evidence:
    return linked(replace(honest, candidate=replace(honest.candidate, parent_weights=OTHER)))


def other_parent_file(honest: Evidence) -> Evidence:
    return replace(honest, weights=replace(honest.weights, parent=OTHER))


def other_plan(honest: Evidence) -> Evidence:
    return replace(honest, plan=replace(honest.plan, seed=8))


def invented_slot(honest: Evidence) -> Evidence:
    return replace(honest, slot=replace(honest.slot, alpha=0.4))


def generous_slots(honest: Evidence) -> Evidence:
    slots = tuple(replace(slot, alpha=0.2) for slot in honest.plan.slots)
    return linked(replace(honest, plan=replace(honest.plan, slots=slots), slot=slots[0]))


def random_predictions(honest: Evidence) -> Evidence:
    rng = np.random.default_rng(0)
    return answering(honest, [tuple(rng.normal(size=2)) for _ in holdout(honest)])


def constant_predictions(honest: Evidence) -> Evidence:
    return answering(honest, [(1.0, 0.0) for _ in holdout(honest)])


def tiny_holdout(_: Evidence) -> Evidence:
    return honest_evidence(holdout=24)


def holdout_without_a_case(honest: Evidence) -> Evidence:
    rows = honest.measurements.rows
    return replace(honest, measurements=replace(honest.measurements, rows=rows[2:]))


def holdout_with_other_labels(honest: Evidence) -> Evidence:
    rows = tuple(replace(row, label=(1 - row.label[0],)) for row in honest.measurements.rows)
    return replace(honest, measurements=replace(honest.measurements, rows=rows))


FRAUDS: tuple[tuple[Callable[[Evidence], Evidence], str, Outcome], ...] = (
    (unchanged_weights, "integrity", FAIL),
    (unchanged_weights, "retention", FAIL),
    (weights_of_another_file, "integrity", FAIL),
    (nan_weights, "integrity", FAIL),
    (nan_answers, "retention", FAIL),
    (log_with_a_forgotten_case, "integrity", FAIL),
    (log_with_a_forgotten_case, "never-saw", FAIL),
    (log_with_a_forgotten_case_called_validation, "integrity", FAIL),
    (log_with_a_forgotten_case_called_validation, "never-saw", FAIL),
    (log_with_a_forgotten_case_under_a_new_label_version, "never-saw", FAIL),
    (log_with_an_exact_copy, "integrity", FAIL),
    (log_with_an_exact_copy, "never-saw", FAIL),
    (log_with_a_copy_of_a_case_of_the_group, "never-saw", FAIL),
    (log_with_a_suppressed_case, "never-saw", FAIL),
    (log_with_a_holdout_case, "integrity", FAIL),
    (log_missing_a_learned_case, "never-saw", FAIL),
    (log_of_a_stranger, "integrity", FAIL),
    (log_of_a_wrong_label_version, "integrity", FAIL),
    (log_of_other_weights, "integrity", FAIL),
    (log_of_nothing, "never-saw", FAIL),
    (consumption_beyond_the_method, "integrity", FAIL),
    (consumption_beyond_the_method, "never-saw", FAIL),
    (consumption_short_of_the_method, "integrity", FAIL),
    (manifest_with_more_than_the_log, "never-saw", FAIL),
    (manifest_that_unlearned_from_scratch, "never-saw", FAIL),
    (manifest_that_selected_with_a_forgotten_case, "never-saw", FAIL),
    (manifest_of_another_origin, "integrity", FAIL),
    (manifest_that_is_only_declared, "never-saw", OPEN),
    (started_from_the_champion, "never-saw", FAIL),
    (started_from_a_checkpoint, "never-saw", FAIL),
    (started_from_a_checkpoint_of_nobody, "never-saw", OPEN),
    (started_from_a_checkpoint_of_nobody, "integrity", FAIL),
    (seed_that_nobody_replayed, "never-saw", OPEN),
    (missing_file, "integrity", FAIL),
    (unchecked_file, "integrity", FAIL),
    (no_run_folder, "integrity", FAIL),
    (changed_file, "integrity", FAIL),
    (file_compared_with_itself, "integrity", FAIL),
    (swapped_log, "integrity", FAIL),
    (other_network, "integrity", FAIL),
    (other_preprocessing, "integrity", FAIL),
    (other_parent, "integrity", FAIL),
    (other_parent_file, "integrity", FAIL),
    (other_plan, "integrity", FAIL),
    (invented_slot, "integrity", FAIL),
    (generous_slots, "retention", FAIL),
    (random_predictions, "retention", FAIL),
    (constant_predictions, "retention", FAIL),
    (tiny_holdout, "retention", OPEN),
    (holdout_without_a_case, "retention", OPEN),
    (holdout_with_other_labels, "retention", OPEN),
)


@pytest.mark.parametrize(
    ("fraud", "gate", "outcome"), FRAUDS, ids=[f"{fraud.__name__}-{gate}" for fraud, gate, _ in FRAUDS]
)
def test_the_named_gate_catches_the_fraud(fraud: Callable[[Evidence], Evidence], gate: str, outcome: Outcome) -> None:
    evidence = fraud(honest_evidence())
    results = evaluate(evidence)
    found = {result.gate: result for result in results}
    assert found[gate].outcome is outcome, found[gate].reason
    assert fold(results, claim=evidence.plan.claim, requested=evidence.plan.gates)[0] is not Outcome.PASS
    for reason in (result.reason for result in results):
        assert "patient-" not in reason
        assert not any(f"{role}-0" in reason for role in Role), "a reason names no case"


def test_an_honest_retrain_passes_every_gate() -> None:
    evidence = honest_evidence()
    results = evaluate(evidence)
    assert [result.gate for result in results] == ["integrity", "never-saw", "retention"]
    assert {result.outcome for result in results} == {Outcome.PASS}
    assert fold(results, claim=evidence.plan.claim, requested=evidence.plan.gates)[0] is Outcome.PASS


# --- private ---------------------------------------------------------------------------------------


def holdout(evidence: Evidence) -> tuple[PlannedCase, ...]:
    return evidence.roles.of(Role.HOLDOUT)


def copy_of_a_forgotten_case(evidence: Evidence) -> PlannedCase:
    return replace(planned(Role.RETAIN, 900), pixels=evidence.roles.of(Role.FORGET)[0].pixels)


def with_weights(evidence: Evidence, weights: str) -> Evidence:
    return linked(
        replace(
            evidence,
            candidate=replace(evidence.candidate, weights=weights),
            log=replace(evidence.log, final_weights=weights),
            weights=replace(evidence.weights, candidate=weights),
        )
    )


def from_origin(evidence: Evidence, origin: Origin) -> Evidence:
    return linked(
        replace(
            evidence,
            log=replace(evidence.log, origin=origin),
            candidate_manifest=replace(evidence.candidate_manifest, origin=origin),
            candidate_spec=with_initial(evidence.candidate_spec, origin.weights),
        )
    )


def test_a_row_with_a_negative_count_is_no_hiding_place() -> None:
    honest = honest_evidence()
    row = honest.roles.of(Role.FORGET)[0]
    hidden = LoaderRow(Role.RETAIN, row.case_id, row.label_version, -1)
    log = replace(honest.log, rows=(*honest.log.rows, hidden))
    found = {result.gate: result for result in evaluate(linked(replace(honest, log=log)))}
    assert "negative count" in found["integrity"].reason
    assert found["never-saw"].outcome is Outcome.FAIL
