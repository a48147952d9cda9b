"""Outlier scores: refused where nothing is usual; found at every share; a device is never the outlier."""

from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.scoring import FAR, outlier_scores
from maintain.scoring.outlier import CASES_A_COLUMN
from maintain.vocabulary import OutlierMethod


@pytest.mark.parametrize("method", OutlierMethod)
def test_too_few_cases_say_nothing(method: OutlierMethod) -> None:
    figures = np.random.default_rng(1).normal(size=(3 * CASES_A_COLUMN - 1, 3))
    with pytest.raises(NotEvaluatedError, match="too few"):
        outlier_scores(figures, ["a"] * len(figures), method=method)
    with pytest.raises(NotEvaluatedError, match="0 cases"):
        outlier_scores(figures[:0], [], method=method)


def test_figures_that_do_not_fit_are_refused() -> None:
    figures = np.zeros((100, 2))
    with pytest.raises(InputError, match="do not fit"):
        outlier_scores(figures, ["a"] * 99, method=OutlierMethod.KNN)
    figures[3, 1] = np.nan
    with pytest.raises(InputError, match="not all finite"):
        outlier_scores(figures, ["a"] * 100, method=OutlierMethod.KNN)


@pytest.mark.parametrize("method", OutlierMethod)
def test_copies_of_one_picture_have_no_usual_spread(method: OutlierMethod) -> None:
    figures = np.random.default_rng(1).normal(size=(100, 2))
    figures[:60] = figures[0]
    with pytest.raises(NotEvaluatedError):
        outlier_scores(figures, ["a"] * 100, method=method)


def test_figures_that_depend_on_each_other_are_not_judged() -> None:
    one = np.random.default_rng(1).normal(size=100)
    with pytest.raises(NotEvaluatedError, match="depend on each other"):
        outlier_scores(np.stack([one, 2.0 * one], axis=1), ["a"] * 100, method=OutlierMethod.MAHALANOBIS)


@pytest.mark.parametrize("share", [0.02, 0.10, 0.30, 0.45])
def test_a_group_is_far_however_common_it_is(share: float) -> None:
    rng = np.random.default_rng(7)
    figures = rng.normal(size=(1000, 4))
    odd = np.arange(1000) < 1000 * share
    figures[odd] += 6.0
    scores = outlier_scores(figures, ["a"] * 1000, method=OutlierMethod.MAHALANOBIS)
    assert (scores[odd] > FAR).all()
    assert (scores[~odd] > FAR).mean() < 0.01


def test_usual_cases_are_scored_as_normal_deviates() -> None:
    scores = outlier_scores(
        np.random.default_rng(3).normal(size=(4000, 5)), ["a"] * 4000, method=OutlierMethod.MAHALANOBIS
    )
    assert abs(scores.mean()) < 0.1
    assert abs(scores.std() - 1.0) < 0.1


def test_neighbours_overlook_a_group_of_more_than_a_tenth() -> None:
    rng = np.random.default_rng(7)
    figures = rng.normal(size=(1000, 3))
    figures[:50] += 8.0
    assert (outlier_scores(figures, ["a"] * 1000, method=OutlierMethod.KNN)[:50] > FAR).all()
    figures[:200] = rng.normal(size=(200, 3)) * 0.1 + 8.0
    assert not (outlier_scores(figures, ["a"] * 1000, method=OutlierMethod.KNN)[:200] > FAR).any()


@pytest.mark.parametrize("method", OutlierMethod)
def test_a_device_is_not_the_outlier_and_a_small_one_is_held_against_all(method: OutlierMethod) -> None:
    rng = np.random.default_rng(5)
    figures = rng.normal(size=(600, 3))
    strata = ["one"] * 500 + ["two"] * 80 + ["few"] * 20
    shifted = figures.copy()
    shifted[500:580] = 5.0 + 3.0 * shifted[500:580]
    assert (outlier_scores(shifted, strata, method=method)[500:580] < FAR).mean() > 0.95
    shifted[580:] += 30.0
    assert (outlier_scores(shifted, strata, method=method)[580:] > FAR).all()


def test_the_order_of_the_cases_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    figures, order = rng.normal(size=(300, 3)), rng.permutation(300)
    scores = outlier_scores(figures, ["a"] * 300, method=OutlierMethod.KNN)
    assert np.allclose(outlier_scores(figures[order], ["a"] * 300, method=OutlierMethod.KNN), scores[order])
