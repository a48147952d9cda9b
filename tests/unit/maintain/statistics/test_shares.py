from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import FEWEST_DISCORDANT, Bound, IntervalMethod, mean_bound, share_bound

ALPHA = 0.05


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def shared(hits: int, patients: int) -> Bound:
    return share_bound(np.arange(patients) < hits, names(patients), alpha=ALPHA)


def test_nothing_given_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="no cases"):
        mean_bound(np.empty(0), [], alpha=ALPHA)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_not_evaluated(broken: float) -> None:
    with pytest.raises(NotEvaluatedError, match="NaN"):
        mean_bound(np.array([0.0, broken]), names(2), alpha=ALPHA)


def test_one_patient_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="one patient"):
        share_bound(np.array([True, False]), ["a", "a"], alpha=ALPHA)


@pytest.mark.parametrize(
    ("values", "patients", "alpha", "said"),
    [
        (np.array([0.0, 1.1]), 2, ALPHA, "outside"),
        (np.array([0.0, 1.0]), 3, ALPHA, "do not fit"),
        (np.eye(2), 2, ALPHA, "do not fit"),
        (np.array([0.0, 1.0]), 2, 0.5, "level"),
    ],
)
def test_what_does_not_fit_is_refused(values: np.ndarray, patients: int, alpha: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        mean_bound(values, names(patients), alpha=alpha)


def test_numbers_are_no_hits() -> None:
    with pytest.raises(InputError, match="true or false"):
        share_bound(np.array([0, 1]), names(2), alpha=ALPHA)


@pytest.mark.parametrize("patients", [2, 25, 149])
def test_without_a_hit_the_upper_bound_is_the_exact_one_and_mirrored_with_hits_alone(patients: int) -> None:
    none, full = shared(0, patients), shared(patients, patients)
    assert none.method is full.method is IntervalMethod.EXACT
    assert (none.estimate, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(1 - ALPHA ** (1 / patients))
    assert (full.low, full.high) == pytest.approx((1 - none.high, 1.0))


def test_the_patients_that_show_a_share_below_a_fiftieth_are_those_of_the_power_study() -> None:
    assert shared(0, 149).high < 0.02 < shared(0, 148).high


def test_the_exact_bound_is_weighted_by_the_largest_share() -> None:
    patients = ["large"] * 10 + names(10)
    found = share_bound(np.zeros(20, dtype=np.bool_), patients, alpha=ALPHA)
    assert found.high == pytest.approx(min(1.0, (1 - ALPHA ** (1 / 11)) * 11 * 0.5))


@pytest.mark.parametrize("hits", [1, 4, 60, 199])
def test_with_one_case_a_patient_the_share_is_no_more_certain_than_clopper_and_pearson(hits: int) -> None:
    found = shared(hits, 200)
    expected = binomtest(hits, 200).proportion_ci(1 - 2 * ALPHA, method="exact")
    assert found.method is IntervalMethod.EFFECTIVE_CASES
    if min(hits, 200 - hits) < FEWEST_DISCORDANT:
        assert found.low <= expected.low * 1.02
        assert found.high >= expected.high * 0.98
    else:
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.02)


def test_cases_of_one_patient_that_agree_count_as_one() -> None:
    hits = np.arange(200) < 12
    found = share_bound(np.repeat(hits, 5), list(np.repeat(names(200), 5)), alpha=ALPHA)
    assert (found.low, found.high) == pytest.approx((shared(12, 200).low, shared(12, 200).high), rel=0.01)


def test_a_share_equal_in_every_patient_still_has_an_interval() -> None:
    found = share_bound(np.arange(100) % 2 == 0, list(np.repeat(names(50), 2)), alpha=ALPHA)
    assert found.low < 0.45 < found.estimate < 0.55 < found.high


def test_below_thirty_patients_off_the_commonest_value_the_mean_is_corrected() -> None:
    for departing, method in ((29, IntervalMethod.CLUSTER_T_CORRECTED), (30, IntervalMethod.CLUSTER_T)):
        values = np.where(np.arange(200) < departing, -1 / 3, 1.0)
        found = mean_bound(values, names(200), alpha=ALPHA)
        assert found.method is method
        reach = student.ppf(1 - ALPHA, 199) * values.std(ddof=1) / np.sqrt(200)
        assert found.low <= values.mean() - reach + 1e-12


def test_the_level_of_a_share_is_kept_in_repeated_samples() -> None:
    """Patients of one to six cases, correlated (ICC 0.3): cluster t erred 7.5 % upwards, nominal 5 %."""
    rng, repetitions, errs = np.random.default_rng(8), 600, 0
    for _ in range(repetitions):
        sizes = rng.integers(1, 7, 100)
        patients = list(np.repeat(names(100), sizes))
        hits = rng.random(len(patients)) < np.repeat(rng.beta(0.1 * 7 / 3, 0.9 * 7 / 3, 100), sizes)
        errs += share_bound(hits, patients, alpha=ALPHA).high < 0.1
    assert errs / repetitions <= 0.07


@pytest.mark.parametrize("value", [-1.0, 0.0, 1 / 3, 1.0])
def test_cases_in_full_agreement_have_an_interval_inside_the_possible(value: float) -> None:
    found = mean_bound(np.full(40, value), names(40), alpha=ALPHA)
    assert found.method is IntervalMethod.EXACT
    assert -1.0 <= found.low <= value <= found.high <= 1.0
    assert found.high - found.low == pytest.approx(2 * (1 - ALPHA ** (1 / 40)))


def test_patients_count_once_whatever_their_cases() -> None:
    values = np.repeat(np.random.default_rng(4).choice([-1.0, -1 / 3, 0.0, 1 / 3], 80), 5)
    many = mean_bound(values, list(np.repeat(names(80), 5)), alpha=ALPHA)
    one = mean_bound(values[::5], names(80), alpha=ALPHA)
    assert (many.estimate, many.low, many.high) == pytest.approx((one.estimate, one.low, one.high))
    assert (many.cases, many.patients) == (400, 80)
