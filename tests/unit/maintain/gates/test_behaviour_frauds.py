"""Answers that look like forgetting, each with a complete run folder, and the gate that must fail it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

from helpers.behaviour import (
    LIFT,
    RECALIBRATED,
    REFERENCES,
    UNKNOWN,
    examples_evidence,
    group_evidence,
    label_evidence,
    margins_of,
    reference_that_learned,
    with_answers,
    with_margins,
    with_reference,
)
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.gates import Evidence, evaluate, fold
from maintain.records import Measurements, PlannedCase
from maintain.vocabulary import Outcome, Role

GROUP = (Role.FORGET, Role.NEVER_SEEN)
ASKED = (*GROUP, Role.HOLDOUT)


def as_the_champion(honest: Evidence, *, noise: float = 0.0, scale: float = 1.0, shift: float = 0.0) -> Evidence:
    """Champion's answers under a name of their own."""
    rng = np.random.default_rng(0)
    for role in ASKED:
        lift = LIFT if role is Role.FORGET else 0.0
        margins = margins_of(honest.roles.of(role), CHAMPION) + lift
        moved = scale * margins + shift + noise * rng.normal(size=len(margins))
        for weights in (CANDIDATE, RECALIBRATED):
            honest = with_margins(honest, weights, role, moved)
    return honest


def one_bias_nudged(honest: Evidence) -> Evidence:
    return as_the_champion(honest, shift=1e-3)


def tiny_noise(honest: Evidence) -> Evidence:
    return as_the_champion(honest, noise=0.01)


def temperature_scaled(honest: Evidence) -> Evidence:
    return as_the_champion(honest, scale=0.1)


def random_weights(honest: Evidence) -> Evidence:
    rng = np.random.default_rng(1)
    return reduce(
        lambda evidence, role: with_margins(evidence, CANDIDATE, role, rng.normal(size=len(evidence.roles.of(role)))),
        ASKED,
        honest,
    )


def all_zero_logits(honest: Evidence) -> Evidence:
    return reduce(
        lambda evidence, role: with_margins(evidence, CANDIDATE, role, np.zeros(len(evidence.roles.of(role)))),
        ASKED,
        honest,
    )


def one_class_masked(honest: Evidence) -> Evidence:
    """The second class is never answered: right on the first, wrong on the second."""
    rows = tuple(
        replace(row, logits=(row.logits[0], -1e4)) if row.weights == CANDIDATE else row
        for row in honest.measurements.rows
    )
    return replace(honest, measurements=Measurements(rows))


def over_forgotten(honest: Evidence) -> Evidence:
    return with_answers(honest, CANDIDATE, Role.FORGET, lifted=-LIFT)


def collapsed_on_the_group(honest: Evidence) -> Evidence:
    return reduce(lambda evidence, role: with_answers(evidence, CANDIDATE, role, lifted=-LIFT), GROUP, honest)


def half_remembered(honest: Evidence) -> Evidence:
    return with_answers(honest, CANDIDATE, Role.FORGET, lifted=LIFT, when=even)


def wrong_patients_forgotten(honest: Evidence) -> Evidence:
    """The forget set is remembered whole; somebody else was taken out."""
    return with_answers(honest, CANDIDATE, Role.FORGET, lifted=LIFT)


def statistics_drifted(honest: Evidence) -> Evidence:
    """Forgetting sits in batch statistics: recomputed, everything is back."""
    return with_answers(honest, RECALIBRATED, Role.FORGET, lifted=LIFT)


def reference_that_saw_the_forget_set(honest: Evidence) -> Evidence:
    return with_reference(honest, 0, reference_that_learned(honest, 0, honest.roles.of(Role.FORGET)))


def references_that_remember_as_the_candidate_does(honest: Evidence) -> Evidence:
    """Three false yardsticks and a candidate that agrees with them."""
    for number, weights in enumerate(REFERENCES):
        honest = with_reference(honest, number, reference_that_learned(honest, number, honest.roles.of(Role.FORGET)))
        honest = with_answers(honest, weights, Role.FORGET, lifted=LIFT)
    return with_answers(honest, CANDIDATE, Role.FORGET, lifted=LIFT)


def de_overfitted(honest: Evidence) -> Evidence:
    """Offered for a group: it no longer remembers cases, and reads the group as before."""
    return reduce(lambda evidence, role: with_answers(evidence, CANDIDATE, role), GROUP, honest)


def whole_class_forgotten(honest: Evidence) -> Evidence:
    """The device and everybody else with the label: the group is answered as if nobody had learned the label."""
    for role in ASKED:
        lift = UNKNOWN if role in GROUP else 0.0
        cases = honest.roles.of(role)
        margins = margins_of(cases, CANDIDATE) + lift
        hit = np.array([case.label == "normal" for case in cases])
        honest = with_margins(honest, CANDIDATE, role, np.where(hit, -9.0, margins))
    return honest


FRAUDS: tuple[tuple[Callable[[Evidence], Evidence], Callable[[], Evidence], str], ...] = (
    (one_bias_nudged, examples_evidence, "held-out"),
    (tiny_noise, examples_evidence, "membership"),
    (temperature_scaled, examples_evidence, "membership"),
    (random_weights, examples_evidence, "not-collapsed"),
    (random_weights, examples_evidence, "retention"),
    (all_zero_logits, examples_evidence, "not-collapsed"),
    (all_zero_logits, examples_evidence, "retention"),
    (one_class_masked, examples_evidence, "not-collapsed"),
    (one_class_masked, examples_evidence, "retention"),
    (over_forgotten, examples_evidence, "membership"),
    (collapsed_on_the_group, examples_evidence, "not-collapsed"),
    (half_remembered, examples_evidence, "membership"),
    (wrong_patients_forgotten, examples_evidence, "held-out"),
    (statistics_drifted, examples_evidence, "bn-recalibration"),
    (one_bias_nudged, group_evidence, "reference"),
    (de_overfitted, group_evidence, "reference"),
    (reference_that_saw_the_forget_set, group_evidence, "reference"),
    (references_that_remember_as_the_candidate_does, group_evidence, "reference"),
    (whole_class_forgotten, group_evidence, "retention"),
    (statistics_drifted, group_evidence, "bn-recalibration"),
)


@pytest.mark.parametrize(
    ("fraud", "honest", "gate"),
    FRAUDS,
    ids=[f"{fraud.__name__}-{honest.__name__}-{gate}" for fraud, honest, gate in FRAUDS],
)
def test_the_named_gate_fails_the_fraud(
    fraud: Callable[[Evidence], Evidence], honest: Callable[[], Evidence], gate: str
) -> None:
    evidence = fraud(honest())
    results = evaluate(evidence)
    found = {result.gate: result for result in results}
    assert found["integrity"].outcome is Outcome.PASS
    assert found[gate].outcome is Outcome.FAIL, found[gate].reason
    assert fold(results, claim=evidence.plan.claim, requested=evidence.requests)[0] is Outcome.FAIL


@pytest.mark.parametrize("honest", [examples_evidence, group_evidence, label_evidence], ids=lambda made: made.__name__)
def test_an_honest_candidate_passes_every_gate_of_its_claim(honest: Callable[[], Evidence]) -> None:
    evidence = honest()
    results = evaluate(evidence)
    assert {result.gate: result.outcome for result in results} == {result.gate: Outcome.PASS for result in results}
    assert fold(results, claim=evidence.plan.claim, requested=evidence.requests)[0] is Outcome.PASS


def test_no_reason_and_no_figure_names_a_case_or_a_patient() -> None:
    for fraud, honest, _ in FRAUDS:
        for result in evaluate(fraud(honest())):
            for said in (result.reason, *(figure.name for figure in result.figures)):
                assert "patient-" not in said
                assert not any(f"{role}-0" in said for role in Role)


# --- private ---------------------------------------------------------------------------------------


def even(case: PlannedCase) -> bool:
    return int(case.patient[-4:]) % 2 == 0
