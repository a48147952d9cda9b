from __future__ import annotations

from dataclasses import replace

from helpers.evidence import honest_evidence, learning, linked
from maintain.gates import Evidence, request_for
from maintain.gates.never_saw import NeverSaw
from maintain.records import GateResult, LoaderRow
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence) -> GateResult:
    return NeverSaw(request_for("never-saw")).measure(evidence)


def test_without_a_recipe_the_origin_is_not_evaluated() -> None:
    honest = honest_evidence()
    spec = replace(honest.candidate_spec, recipe=None)
    result = measured(linked(replace(honest, candidate_spec=spec)))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "no recipe" in result.reason


def test_a_contradiction_outweighs_what_is_unproven() -> None:
    honest = honest_evidence()
    evidence = learning(honest, honest.roles.of(Role.FORGET)[:2])
    result = measured(replace(evidence, weights=replace(evidence.weights, initial=None)))
    assert result.outcome is Outcome.FAIL
    assert "2 excluded cases handed out in training" in result.reason
    assert "could not be made again" in result.reason


def test_choosing_checkpoints_with_validation_cases_is_not_training() -> None:
    honest = honest_evidence()
    rows = tuple(
        LoaderRow(Role.VALIDATION, row.case_id, row.label_version, 2) for row in honest.roles.of(Role.VALIDATION)
    )
    logged = replace(honest.log, rows=honest.log.rows + rows)
    assert measured(linked(replace(honest, log=logged))).outcome is Outcome.PASS
    unlisted = replace(honest.candidate_manifest, selected_with=())
    result = measured(linked(replace(honest, log=logged, candidate_manifest=unlisted)))
    assert "choose a checkpoint that the manifest does not list" in result.reason


def test_a_manifest_that_lists_a_case_twice_is_refused() -> None:
    honest = honest_evidence()
    manifest = honest.candidate_manifest
    doubled = replace(manifest, learned=(*manifest.learned, manifest.learned[0]))
    assert measured(linked(replace(honest, candidate_manifest=doubled))).outcome is Outcome.FAIL


def test_the_figures_count_what_was_excluded_and_what_was_learned() -> None:
    figures = {figure.name: figure for figure in measured(honest_evidence()).figures}
    assert figures["cases excluded"].value == 6
    assert figures["cases excluded"].patients == 3
    assert figures["cases learned"].value == 20
    assert figures["times seen"].value == 60


def test_it_explains_each_outcome() -> None:
    gate, honest = NeverSaw(request_for("never-saw")), honest_evidence()
    assert "was not trained on these cases" in gate.explain(measured(honest))
    unproven = measured(replace(honest, weights=replace(honest.weights, initial=None)))
    assert "may have been trained" in gate.explain(unproven)
