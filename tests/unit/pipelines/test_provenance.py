"""What is said of finished weights: the witness's words, and what they began from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import CANDIDATE, CHAMPION, INITIAL, honest_evidence, refs
from maintain.errors import InputError
from maintain.records import LoaderRow, ModelVersion, Origin, Recipe, RoleTable
from maintain.unlearn import Heard
from maintain.vocabulary import ManifestStatus, OriginKind, Role
from maintain_pipelines.champions import Champion
from maintain_pipelines.provenance import manifest_of, spec_of

HONEST = honest_evidence()
FINETUNED = Origin(OriginKind.CHECKPOINT, CHAMPION, HONEST.plan.champion.manifest)
FRESH = Origin(OriginKind.INITIALISATION, INITIAL)


def champion() -> Champion:
    ref = HONEST.plan.champion
    version = ModelVersion("triage", 1, ref.weights, ref.spec, ref.manifest, None, None, "train", 7, "0")
    return Champion(version, HONEST.champion_spec, HONEST.champion_manifest)


def heard(origin: Origin, *, cases: int | None = None) -> Heard:
    rows = HONEST.log.rows[:cases]
    unseen = LoaderRow(Role.RETAIN, "never-drawn", 1, 0)
    log = replace(HONEST.log, origin=origin, rows=(*rows, unseen))
    return Heard(CANDIDATE, recipe(), origin, log, 40, 40)


def recipe() -> Recipe:
    known = HONEST.candidate_spec.recipe
    assert known is not None
    return replace(known, epochs=1)


def test_a_checkpoint_without_a_forget_set_is_refused() -> None:
    rows = tuple(row for row in HONEST.roles.rows if row.role is not Role.FORGET)
    with pytest.raises(InputError, match="nothing to move"):
        manifest_of(HONEST.plan, champion(), RoleTable(rows), heard(FINETUNED))


def test_going_on_from_the_champion_moves_the_forget_set_and_keeps_the_rest() -> None:
    manifest = manifest_of(HONEST.plan, champion(), HONEST.roles, heard(FINETUNED, cases=3))
    assert manifest.origin == FINETUNED
    assert manifest.unlearned == refs(HONEST.roles, Role.FORGET)
    assert manifest.learned == refs(HONEST.roles, Role.RETAIN, Role.SUPPRESSED)
    assert manifest.selected_with == refs(HONEST.roles, Role.VALIDATION, Role.NEVER_SEEN_VALIDATION)
    assert manifest.parent == HONEST.plan.champion.manifest


def test_what_goes_on_from_a_declared_manifest_is_declared_and_what_begins_anew_is_proven() -> None:
    declared = replace(champion(), manifest=replace(HONEST.champion_manifest, status=ManifestStatus.DECLARED))
    statuses = [manifest_of(HONEST.plan, declared, HONEST.roles, heard(origin)).status for origin in (FINETUNED, FRESH)]
    assert statuses == [ManifestStatus.DECLARED, ManifestStatus.PROVEN]
    assert manifest_of(HONEST.plan, champion(), HONEST.roles, heard(FINETUNED)).status is ManifestStatus.PROVEN


def test_a_second_one_keeps_what_the_first_unlearned() -> None:
    before = replace(HONEST.champion_manifest, unlearned=refs(HONEST.roles, Role.NEVER_SEEN))
    manifest = manifest_of(HONEST.plan, replace(champion(), manifest=before), HONEST.roles, heard(FINETUNED))
    assert manifest.unlearned == refs(HONEST.roles, Role.FORGET, Role.NEVER_SEEN)


def test_a_training_from_new_weights_learned_what_it_was_handed_and_no_more() -> None:
    manifest = manifest_of(HONEST.plan, champion(), HONEST.roles, heard(FRESH, cases=3))
    assert manifest.learned == tuple(ref for ref in refs(HONEST.roles, Role.RETAIN)[:3])
    assert manifest.unlearned == ()
    assert manifest.selected_with == refs(HONEST.roles, Role.VALIDATION)


def test_a_few_more_passes_are_no_recipe_of_the_model() -> None:
    spec = HONEST.champion_spec
    assert spec_of(spec, heard(FINETUNED), "m") == replace(spec, manifest="m")
    assert spec_of(spec, heard(FRESH), "m") == replace(spec, manifest="m", recipe=recipe())
