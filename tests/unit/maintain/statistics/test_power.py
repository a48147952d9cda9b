"""The closed forms of planning give what simulations and trained models gave, within a stated tolerance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import studentized_range
from scipy.stats import t as student

from maintain.errors import InputError
from maintain.statistics import (
    BEHAVIOUR_ALPHA,
    ArmSize,
    Power,
    adjusted_difference_power,
    calibrated_auc_power,
    mean_bound_power,
    paired_metrics_power,
    paired_power,
    share_bound,
    share_bound_power,
    tail_share_power,
)
from maintain.statistics.power import (
    ADJUSTED_SPREAD,
    ATTACK_SPREAD,
    FEWEST_CASES,
    FEWEST_PATIENTS,
    HARD_SEED_SPREAD,
    SEED_SPREAD,
    USUAL_DISAGREEMENT,
    cases_per_arm,
    patients_without_event,
)

#: Never-seen cases of the table on the product page, at four a patient.
NEVER_SEEN = ArmSize(500, 125)

#: Retained holdout cases of the simulated grid.
GRID = (160, 320, 640, 800, 1600, 2400, 4000, 6000)

#: (disagreement, margin) -> chance that all three metrics pass, 1,000 simulations a cell, four images a patient,
#: prevalence .3 (power study, section 1).
SIMULATED = {
    (0.05, 0.02): (0.14, 0.26, 0.51, 0.59, 0.88, 0.98, 1, 1),
    (0.10, 0.02): (0.06, 0.12, 0.24, 0.30, 0.62, 0.77, 0.94, 0.99),
    (0.10, 0.03): (0.13, 0.26, 0.52, 0.62, 0.93, 0.97, 1, 1),
    (0.10, 0.05): (0.36, 0.62, 0.92, 0.96, 1, 1, 1, 1),
    (0.15, 0.02): (0.05, 0.08, 0.17, 0.20, 0.36, 0.59, 0.77, 0.94),
    (0.15, 0.05): (0.23, 0.47, 0.81, 0.90, 0.99, 1, 1, 1),
}


def arm(cases: int) -> ArmSize:
    return ArmSize(cases, cases // 4)


def kept(cases: int, *, disagreement: float, margin: float, alpha: float = 0.025, corrected: bool = False) -> Power:
    positives = round(0.3 * cases)
    return paired_metrics_power(
        (positives, cases - positives),
        cases // 4,
        margin=margin,
        alpha=alpha,
        disagreement=disagreement,
        corrected=corrected,
    )


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.0, -0.05, 1.0, 2.0, math.nan])
def test_a_margin_that_means_nothing_is_refused(margin: float) -> None:
    with pytest.raises(InputError):
        kept(1000, disagreement=0.1, margin=margin)
    with pytest.raises(InputError):
        adjusted_difference_power(arm(400), arm(400), margin=margin)
    with pytest.raises(InputError):
        share_bound_power(arm(400), limit=margin)


@pytest.mark.parametrize("alpha", [0.0, 0.5, math.nan])
def test_a_level_that_means_nothing_is_refused(alpha: float) -> None:
    with pytest.raises(InputError):
        paired_power(arm(400), margin=0.1, alpha=alpha)
    with pytest.raises(InputError):
        patients_without_event(0.02, alpha=alpha)


@pytest.mark.parametrize("small", [ArmSize(99, 50), ArmSize(400, 24), ArmSize(0, 0), ArmSize(1, 1)])
def test_arms_too_small_are_not_evaluated_by_design(small: ArmSize) -> None:
    for power in (
        adjusted_difference_power(small, NEVER_SEEN, margin=0.1),
        adjusted_difference_power(NEVER_SEEN, small, margin=0.1),
        calibrated_auc_power(small, NEVER_SEEN, margin=0.1),
        tail_share_power(small, NEVER_SEEN, limit=0.12),
        paired_power(small, margin=0.1),
        mean_bound_power(small, margin=0.1),
    ):
        assert power.chance == 0.0
        assert "below 100 images or 25 patients" in power.reason
        assert (power.smallest_visible is None) == (small.patients < 2)


@pytest.mark.parametrize(
    ("classes", "patients", "said"),
    [((100,), 40, "no case"), ((100, 0), 40, "no case"), ((), 0, "no case"), ((5, 5), 1, "one patient")],
)
def test_retention_that_cannot_be_measured_has_no_chance(classes: tuple[int, ...], patients: int, said: str) -> None:
    power = paired_metrics_power(classes, patients, margin=0.05, alpha=0.025)
    assert (power.chance, power.smallest_visible) == (0.0, None)
    assert said in power.reason


def test_a_tail_limit_that_an_honest_model_reaches_has_no_chance() -> None:
    assert tail_share_power(arm(4000), arm(4000), limit=0.05).chance == 0.0


# --- against the studies ---------------------------------------------------------------------------


@pytest.mark.parametrize("cell", SIMULATED)
def test_retention_agrees_with_the_simulated_grid(cell: tuple[float, float]) -> None:
    disagreement, margin = cell
    planned = [kept(cases, disagreement=disagreement, margin=margin).chance for cases in GRID]
    # 0.04 where the chance decides something; 0.08 below, where the closed form errs downwards.
    for value, simulated in zip(planned, SIMULATED[cell], strict=True):
        assert value == pytest.approx(simulated, abs=0.04 if simulated > 0.75 else 0.08)
    assert planned == sorted(planned)


@pytest.mark.parametrize(("cases", "chance"), [(160, 0.36), (320, 0.62), (640, 0.92)])
def test_retention_at_the_default_margin(cases: int, chance: float) -> None:
    assert kept(cases, disagreement=USUAL_DISAGREEMENT, margin=0.05).chance == pytest.approx(chance, abs=0.05)


@pytest.mark.parametrize(
    ("spread", "chance", "cases"),
    [
        (ADJUSTED_SPREAD, 0.80, 223),
        (ADJUSTED_SPREAD, 0.95, 337),
        (ATTACK_SPREAD, 0.80, 208),
        (ATTACK_SPREAD, 0.95, 315),
    ],
)
def test_cases_an_arm_agree_with_the_study(spread: float, chance: float, cases: int) -> None:
    assert cases_per_arm(spread, margin=0.10, chance=chance) == pytest.approx(cases, rel=0.02)
    if spread == ATTACK_SPREAD:
        planned = calibrated_auc_power(arm(cases), arm(cases), margin=0.10)
    else:
        planned = adjusted_difference_power(arm(cases), arm(cases), margin=0.10, corrected=False)
    assert planned.chance == pytest.approx(chance, abs=0.02)


@pytest.mark.parametrize(
    ("cases", "held_out", "membership"), [(100, 0.60, 2 / 3), (200, 0.90, 0.90), (400, 0.99, 0.99), (1000, 1.0, 1.0)]
)
def test_the_table_of_the_product_page(cases: int, held_out: float, membership: float) -> None:
    planned = adjusted_difference_power(arm(cases), NEVER_SEEN, margin=0.1, corrected=False)
    assert planned.chance == pytest.approx(held_out, abs=0.03)
    assert calibrated_auc_power(arm(cases), NEVER_SEEN, margin=0.1).chance == pytest.approx(membership, abs=0.03)


@pytest.mark.parametrize("cases", [5, 20, 50])
def test_the_product_page_promises_nothing_to_small_groups(cases: int) -> None:
    assert adjusted_difference_power(arm(cases), NEVER_SEEN, margin=0.1).chance == 0.0
    assert calibrated_auc_power(arm(cases), NEVER_SEEN, margin=0.1).chance == 0.0


@pytest.mark.parametrize(("limit", "passed"), [(0.10, 15 / 18), (0.12, 17 / 18)])
def test_the_tail_passes_honest_retrains_as_often_as_measured(limit: float, passed: float) -> None:
    planned = tail_share_power(ArmSize(330, 92), ArmSize(360, 95), limit=limit, corrected=False)
    assert planned.chance == pytest.approx(passed, abs=0.06)


@pytest.mark.parametrize(
    ("limit", "alpha", "patients"),
    [
        (0.02, 0.025, 183),
        (0.02, 0.05, 149),
        (0.03, 0.025, 122),
        (0.03, 0.05, 99),
        (0.05, 0.025, 72),
        (0.05, 0.05, 59),
        (0.10, 0.025, 36),
        (0.10, 0.05, 29),
    ],
)
def test_patients_without_an_event(limit: float, alpha: float, patients: int) -> None:
    assert patients_without_event(limit, alpha=alpha) == patients
    assert share_bound_power(ArmSize(4 * patients, patients), limit=limit, alpha=alpha).chance == 1.0
    short = share_bound_power(ArmSize(4 * patients - 4, patients - 1), limit=limit, alpha=alpha)
    assert short.chance == 0.0
    assert f"about {4 * patients} images of {patients} patients" in short.reason
    assert short.smallest_visible is not None
    assert short.smallest_visible >= limit


def test_a_share_is_planned_by_the_gates_own_bound_at_zero_hits() -> None:
    drawn = np.random.default_rng(7)
    passed = []
    for _ in range(200):
        images = drawn.integers(1, drawn.integers(2, 9), size=drawn.integers(30, 500))
        patients = np.repeat(np.arange(len(images)), images)
        arm = ArmSize(len(patients), len(images), int(images.max()))
        limit = float(drawn.choice([0.02, 0.03, 0.05]))
        planned = share_bound_power(arm, limit=limit)
        real = share_bound(
            np.zeros(len(patients), dtype=np.bool_), [str(one) for one in patients], alpha=BEHAVIOUR_ALPHA
        )
        assert planned.smallest_visible == pytest.approx(real.high, rel=1e-12)
        if arm.cases >= FEWEST_CASES and arm.patients >= FEWEST_PATIENTS:
            assert planned.chance == float(real.high < limit)
            passed.append(planned.chance)
    assert 0.2 < np.mean(passed) < 0.8


def test_uneven_patients_need_more_of_them_and_are_told_how_many() -> None:
    uneven = share_bound_power(ArmSize(857, 272, 6), limit=0.02)
    assert uneven.chance == 0.0
    assert uneven.smallest_visible == pytest.approx(0.0209, abs=1e-4)
    assert uneven.reason.startswith("cannot pass: about 895 images of 284 patients are needed")
    assert "one patient has 6 of 857" in uneven.reason
    assert share_bound_power(ArmSize(895, 284, 6), limit=0.02).chance == 1.0
    assert share_bound_power(ArmSize(857, 272), limit=0.02).chance == 1.0


def test_more_cases_do_not_buy_a_reference_that_seeds_scatter() -> None:
    light, middling = (
        mean_bound_power(arm(100_000), margin=0.1, seed_spread=spread).chance
        for spread in (SEED_SPREAD, HARD_SEED_SPREAD)
    )
    assert light == pytest.approx(0.86, abs=0.04)
    assert middling < 0.5
    assert mean_bound_power(arm(100_000), margin=0.1, seed_spread=0.001).chance > 0.99


# --- against the bounds as they are ------------------------------------------------------------------

#: Patients (four images each, prevalence .3, accuracy .85), disagreement -> how often 250 unchanged models passed
#: accuracy, balanced accuracy and AUROC by `paired_bound` at margin .05, alpha .025.
PASSED = {
    (40, 0.10): 0.00,
    (60, 0.10): 0.00,
    (80, 0.10): 0.04,
    (110, 0.10): 0.61,
    (160, 0.10): 0.86,
    (200, 0.10): 0.96,
    (40, 0.15): 0.00,
    (60, 0.15): 0.03,
    (80, 0.15): 0.29,
    (110, 0.15): 0.48,
    (160, 0.15): 0.72,
    (200, 0.15): 0.81,
}

#: Patients of both arms -> how often 250 honest cohorts passed `adjusted_difference` at margin .10 (its spread
#: there: .40), and `tail_share` at .10 and .12; alpha .05, accuracy .75.
HONEST = {
    (35, 125): (0.51, 0.12, 0.46),
    (50, 125): (0.76, 0.37, 0.70),
    (90, 90): (0.91, 0.69, 0.87),
    (125, 125): (0.97, 0.81, 0.98),
    (200, 200): (1.00, 0.94, 1.00),
}


@pytest.mark.parametrize("cell", PASSED)
def test_retention_is_planned_for_the_bound_that_is_used(cell: tuple[int, float]) -> None:
    patients, disagreement = cell
    power = kept(4 * patients, disagreement=disagreement, margin=0.05, corrected=True)
    assert power.chance == pytest.approx(PASSED[cell], abs=0.12)


@pytest.mark.parametrize("cell", HONEST)
def test_two_arms_are_planned_for_the_bounds_that_are_used(cell: tuple[int, int]) -> None:
    first, second = (ArmSize(4 * patients, patients) for patients in cell)
    held_out, tail, tail_small = HONEST[cell]
    assert adjusted_difference_power(first, second, margin=0.10, spread=0.40).chance == pytest.approx(
        held_out, abs=0.13
    )
    assert tail_share_power(first, second, limit=0.10).chance == pytest.approx(tail, abs=0.10)
    assert tail_share_power(first, second, limit=0.12).chance == pytest.approx(tail_small, abs=0.10)


def test_few_who_differ_never_raise_a_chance() -> None:
    for patients in (25, 30, 40, 60, 100, 200, 400):
        first = ArmSize(4 * patients, patients)
        for corrected, plain in (
            (adjusted_difference_power(first, NEVER_SEEN, margin=0.1, corrected=state) for state in (True, False)),
            (tail_share_power(first, NEVER_SEEN, limit=0.12, corrected=state) for state in (True, False)),
            (kept(4 * patients, disagreement=0.1, margin=0.05, corrected=state) for state in (True, False)),
        ):
            assert corrected.chance <= plain.chance + 1e-12
            assert corrected.smallest_visible is not None
            assert plain.smallest_visible is not None
            assert corrected.smallest_visible >= plain.smallest_visible


# --- against slow versions -------------------------------------------------------------------------


def test_two_bounds_and_a_scattering_reference_against_drawn_models() -> None:
    generator = np.random.default_rng(5)
    draws = 200_000
    size, other = arm(300), arm(400)
    error = ADJUSTED_SPREAD * math.sqrt(1 / 300 + 1 / 400)
    passed = np.abs(generator.normal(0, error, draws)) + student.ppf(0.95, 160) * error < 0.10
    assert adjusted_difference_power(size, other, margin=0.10).chance == pytest.approx(passed.mean(), abs=0.01)

    models = generator.normal(0, SEED_SPREAD, (draws, 4)) + generator.normal(
        0, math.sqrt(0.15 * 1.1 / 2 / 300), (draws, 4)
    )
    difference = models[:, 0] - models[:, 1:].mean(axis=1)
    reach = student.ppf(0.95, 74) * math.sqrt(0.15 * 1.1 / 2 * 4 / 3 / 300)
    passed = (np.abs(difference) + reach < 0.10) & (np.ptp(models[:, 1:], axis=1) < 0.10)
    assert mean_bound_power(size, margin=0.10).chance == pytest.approx(passed.mean(), abs=0.02)


def test_a_stated_range_is_that_of_three_seeds() -> None:
    drawn = np.ptp(np.random.default_rng(6).normal(0, SEED_SPREAD, (100_000, 3)), axis=1)
    assert studentized_range.cdf(0.10 / SEED_SPREAD, 3, math.inf) == pytest.approx((drawn < 0.10).mean(), abs=0.01)
