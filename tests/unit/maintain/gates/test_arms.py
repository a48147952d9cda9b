"""Who is compared with whom, and what keeps arms from being compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from helpers.behaviour import examples_evidence, with_rows
from helpers.evidence import CANDIDATE, planned
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence
from maintain.gates.arms import Arms, arms_of
from maintain.gates.sides import sides_of
from maintain.records import CaseDifficulty, Difficulty
from maintain.statistics import adjusted_difference_power
from maintain.vocabulary import Role


def arms(evidence: Evidence) -> Arms:
    return arms_of(evidence, adjusted_difference_power, margin=0.10)


def with_difficulty(evidence: Evidence, change: Callable[[CaseDifficulty], CaseDifficulty]) -> Evidence:
    assert evidence.difficulty is not None
    rows = tuple(change(row) for row in evidence.difficulty.rows)
    return replace(evidence, difficulty=replace(evidence.difficulty, rows=rows))


def figures(found: Arms) -> dict[str, float]:
    return {figure.name: figure.value for figure in found.figures()}


@pytest.mark.parametrize(
    ("forget", "never_seen", "per_patient", "said"),
    [
        (96, 400, 4, "96 cases of 24 patients were forgotten"),
        (99, 400, 3, "99 cases of 33 patients"),
        (120, 400, 5, "120 cases of 24 patients"),
        (400, 48, 4, "48 cases of 12 patients never seen"),
        (4, 400, 4, "4 cases of 1 patient were forgotten"),
    ],
)
def test_arms_below_100_cases_or_25_patients_are_not_evaluated(
    forget: int, never_seen: int, per_patient: int, said: str
) -> None:
    with pytest.raises(NotEvaluatedError, match=said):
        arms(examples_evidence(forget=forget, never_seen=never_seen, per_patient=per_patient))


def test_the_smallest_leak_that_could_have_been_seen_is_printed() -> None:
    with pytest.raises(NotEvaluatedError, match=r"smallest leak that could have been seen is about 0\.1"):
        arms(examples_evidence(forget=96, never_seen=400))
    with pytest.raises(NotEvaluatedError, match="No leak of any size could have been seen"):
        arms(examples_evidence(forget=4, never_seen=400))


def test_without_difficulty_nothing_is_compared() -> None:
    with pytest.raises(NotEvaluatedError, match="How difficult the cases are was not measured"):
        arms(replace(examples_evidence(), difficulty=None))


def test_difficulty_must_be_known_once_of_every_case_and_be_a_number() -> None:
    honest = examples_evidence()
    assert honest.difficulty is not None
    rows = honest.difficulty.rows
    for odd, said in (
        (rows[1:], "of 1 case is missing"),
        ((*rows, rows[0]), "1 are listed twice"),
        ((replace(rows[0], log_probability=math.nan), *rows[1:]), "of 1 no number"),
    ):
        with pytest.raises(NotEvaluatedError, match=said):
            arms(replace(honest, difficulty=Difficulty("logistic", 20, tuple(odd))))


def test_a_patient_in_both_arms_is_not_evaluated() -> None:
    honest = examples_evidence()
    both = honest.roles.of(Role.FORGET)[0].patient
    rows = [replace(row, patient=both) if row.case_id == "never-seen-0000" else row for row in honest.roles.rows]
    with pytest.raises(NotEvaluatedError, match="not independent"):
        arms(with_rows(honest, rows))


def test_a_label_that_nobody_was_never_seen_with_is_not_evaluated() -> None:
    honest = examples_evidence()
    rows = [row for row in honest.roles.rows if row.role is not Role.NEVER_SEEN or row.label == "normal"]
    with pytest.raises(NotEvaluatedError, match="no case in the second"):
        arms(with_rows(honest, rows))


@pytest.mark.parametrize("field", ["log_probability", "brightness", "contrast"])
def test_arms_that_differ_in_looks_are_named_not_compared(field: str) -> None:
    honest = examples_evidence()

    def shifted(row: CaseDifficulty) -> CaseDifficulty:
        moved = {field: getattr(row, field) - 1.0}
        return replace(row, **moved) if row.case_id.startswith("forget") else row

    name = "difficulty" if field == "log_probability" else field
    found = arms(with_difficulty(honest, shifted))
    assert name in found.unbalanced
    assert abs(figures(found)[f"balance of {name}"]) > 0.25
    assert arms(honest).unbalanced == ""


def test_patients_of_whom_images_are_still_learned_from_leave_the_forget_arm() -> None:
    honest = examples_evidence()
    patient = honest.roles.of(Role.FORGET)[0].patient
    kept = replace(planned(Role.RETAIN, 900), patient=patient)
    sides = sides_of(with_rows(honest, (*honest.roles.rows, kept)))
    assert sides.left == 4
    assert len(sides.forget_cases) == 396
    assert patient not in {case.patient for case in sides.forget_cases}
    first, second = sides.ask(with_rows(honest, (*honest.roles.rows, kept)), CANDIDATE)
    assert (len(first.cases), len(second.cases)) == (396, 400)


def test_the_never_seen_arm_is_weighted_to_the_labels_of_the_forget_arm() -> None:
    honest = examples_evidence()
    rows = [row for row in honest.roles.rows if row.role is not Role.NEVER_SEEN or _kept(row.label, row.case_id)]
    found = arms(with_rows(honest, rows))
    labels = np.array([case.label == "glaucoma" for case in found.sides.never_seen_cases])
    assert labels.mean() == pytest.approx(0.75, abs=0.02)
    assert np.average(labels, weights=found.weights) == pytest.approx(0.5)
    assert figures(found)["balance of label glaucoma, before weighting"] < -0.4
    effective = figures(found)["never-seen cases, as the weighted ones count"]
    assert effective == pytest.approx(found.weights.sum() ** 2 / np.square(found.weights).sum())
    assert effective < len(labels)


def test_the_effective_size_must_be_large_enough_too() -> None:
    honest = examples_evidence()
    few = [f"never-seen-{number:04d}" for number in range(0, 16)]
    rows = [
        row
        for row in honest.roles.rows
        if row.role is not Role.NEVER_SEEN or row.label == "glaucoma" or row.case_id in few
    ]
    with pytest.raises(NotEvaluatedError, match=r"count as \d+; 100 are needed"):
        arms(with_rows(honest, rows))


def test_never_seen_cases_of_other_labels_are_not_compared() -> None:
    honest = examples_evidence()
    rows = [row for row in honest.roles.rows if row.role is not Role.FORGET or row.label == "normal"]
    found = arms(with_rows(honest, rows))
    assert {case.label for case in found.sides.never_seen_cases} == {"normal"}
    assert len(found.sides.never_seen_cases) == 200


def test_few_patients_have_one_covariate_and_fifty_have_four_kinds() -> None:
    few = arms(examples_evidence(forget=160, never_seen=400))
    many = arms(examples_evidence())
    assert [columns.shape[1] for columns in few.covariates] == [1, 1]
    assert [columns.shape[1] for columns in many.covariates] == [4, 4]
    assert np.all(many.covariates[0][:, 0] < 0.0)


# --- private ---------------------------------------------------------------------------------------


def _kept(label: str, case_id: str) -> bool:
    """All cases of one label, a third of the patients of the other."""
    return label == "glaucoma" or int(case_id[-4:]) // 8 % 3 == 0
