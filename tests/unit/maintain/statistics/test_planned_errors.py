"""What a bound adds at a size, against the noncentral t, drawn patients and plain cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nct
from scipy.stats import t as student

from maintain.statistics.planned_errors import (
    DESIGN_EFFECT,
    both_below,
    deviate,
    few_differ,
    metric_errors,
    visible_effect,
)
from maintain.statistics.sandwich import FEWEST_DISCORDANT


@given(error=st.floats(0.003, 0.1), df=st.floats(24, 2000), margin=st.floats(0.02, 0.2))
def test_a_plain_bound_is_the_noncentral_t(error: float, df: float, margin: float) -> None:
    critical = student.ppf(0.95, df)
    chance = 0.5 * math.erfc(-deviate(margin, error, error, 0.05, df) / math.sqrt(2.0))
    exact = 1.0 if margin / error > 15.0 else 1.0 - nct.cdf(critical, df, margin / error)
    assert chance == pytest.approx(exact, abs=0.005)
    visible = visible_effect(error, 0.05, df, bound=error)
    assert 1.0 - nct.cdf(critical, df, visible / error) == pytest.approx(0.80, abs=0.005)


@pytest.mark.parametrize(("patients", "differing"), [(40, 0.1), (80, 0.1), (90, 0.1), (60, 0.15), (400, 0.02)])
def test_few_patients_differ_as_often_as_drawn(patients: int, differing: float) -> None:
    images = 4
    chance = 1.0 - (1.0 - differing) ** (images / DESIGN_EFFECT)
    drawn = np.random.default_rng(3).random((20_000, patients)) < chance
    rate = float((drawn.sum(axis=1) < FEWEST_DISCORDANT).mean())
    assert few_differ(images * patients, patients, differing) == pytest.approx(rate, abs=0.02)


def test_large_classes_and_many_patients_add_nothing() -> None:
    for error in metric_errors((6000, 14_000), 5000, 0.1, 1.0):
        assert error.bound(patients=5000, extremes=0.0, thin=True) == pytest.approx(error.plain, rel=1e-6)


def test_a_rare_class_widens_the_means_over_classes_alone() -> None:
    overall, balanced, _ = metric_errors((20, 1980), 500, 0.1, 1.0)
    assert overall.bound(patients=500, extremes=0.0, thin=True) == overall.plain
    assert balanced.bound(patients=500, extremes=0.0, thin=True) > 1.2 * balanced.plain
    assert overall.plain == pytest.approx(math.sqrt(0.1 / 2000))
    assert balanced.plain == pytest.approx(math.sqrt(0.1 * (1 / 20 + 1 / 1980) / 4))


def test_two_correlated_variables_against_draws() -> None:
    first, second = np.random.default_rng(4).multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 200_000).T
    drawn = float(((first < 0.3) & (second < 0.8)).mean())
    assert both_below(0.3, 0.8, 0.9) == pytest.approx(drawn, abs=0.005)
    assert both_below(0.3, 0.8, 1.0) == pytest.approx(0.618, abs=0.001)
