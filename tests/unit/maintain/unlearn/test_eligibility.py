from __future__ import annotations

import dataclasses

import pytest

from maintain.errors import InputError
from maintain.imaging import toy_problem
from maintain.records import Origin, TrainingManifest
from maintain.unlearn import Eligibility, Grade, default_recipe, retrain_eligibility
from maintain.vocabulary import ManifestStatus, OriginKind

TOY = toy_problem()
SPEC = TOY.spec(recipe=default_recipe(seed=1))
MANIFEST = TrainingManifest(
    model="toy",
    status=ManifestStatus.PROVEN,
    origin=Origin(OriginKind.INITIALISATION, "start"),
    learned=(),
    unlearned=(),
    selected_with=(),
)


def said(found: Eligibility, grade: Grade) -> str:
    return " ".join(finding.reason for finding in found.reasons if finding.grade is grade)


def test_a_model_without_a_recipe_or_a_known_manifest_cannot_be_retrained() -> None:
    unknown = dataclasses.replace(MANIFEST, status=ManifestStatus.UNKNOWN)
    found = retrain_eligibility(TOY.spec(), unknown, TOY.rows, budget_steps=1000)
    assert not found.ok
    assert "no recipe" in said(found, Grade.BLOCKING)
    assert "Nobody says" in said(found, Grade.BLOCKING)
    with pytest.raises(InputError, match=r"retrain cannot be used here: .*no recipe") as caught:
        found.require("retrain")
    assert "manifest" in caught.value.remedy


def test_a_recipe_that_cannot_be_repeated_blocks() -> None:
    spec = dataclasses.replace(SPEC, recipe=dataclasses.replace(default_recipe(seed=1), optimiser="adam"))
    assert "adam" in said(retrain_eligibility(spec, MANIFEST, TOY.rows, budget_steps=1000), Grade.BLOCKING)


def test_a_budget_that_is_too_small_blocks_and_names_the_steps() -> None:
    found = retrain_eligibility(SPEC, MANIFEST, TOY.rows, budget_steps=29)
    assert "takes 30 steps; the budget is 29" in said(found, Grade.BLOCKING)
    assert retrain_eligibility(SPEC, MANIFEST, TOY.rows, budget_steps=30).ok


def test_no_retained_case_and_unknown_labels_block() -> None:
    assert "No case is retained" in said(retrain_eligibility(SPEC, MANIFEST, (), budget_steps=1000), Grade.BLOCKING)
    odd = dataclasses.replace(TOY.rows[0], label="above")
    assert "above" in said(retrain_eligibility(SPEC, MANIFEST, (odd, *TOY.rows), budget_steps=1000), Grade.BLOCKING)


def test_what_must_be_said_but_does_not_block_is_a_caution() -> None:
    spec = dataclasses.replace(SPEC, public_checkpoint="imagenet")
    declared = dataclasses.replace(MANIFEST, status=ManifestStatus.DECLARED)
    kept = tuple(row for row in TOY.rows if row.label != "middle")
    found = retrain_eligibility(spec, declared, kept, budget_steps=1000)
    assert found.ok
    found.require("retrain")
    for word in ("imagenet", "declared", "middle"):
        assert word in said(found, Grade.CAUTION)


def test_a_model_of_ours_has_nothing_against_it() -> None:
    assert retrain_eligibility(SPEC, MANIFEST, TOY.rows, budget_steps=1000) == Eligibility(())
