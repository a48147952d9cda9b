from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import Metric, accuracy, auroc, balanced_accuracy, decisions, log_odds, point_estimate

LABELS = np.array([0, 0, 1, 1])
SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.3, 0.7]])


@pytest.mark.parametrize("metric", Metric)
def test_nothing_given_is_not_evaluated(metric: Metric) -> None:
    with pytest.raises(NotEvaluatedError, match="no cases"):
        point_estimate(metric, np.array([], dtype=np.int64), np.empty((0, 2)))


@pytest.mark.parametrize("metric", [Metric.BALANCED_ACCURACY, Metric.AUROC])
def test_a_class_without_cases_is_not_evaluated(metric: Metric) -> None:
    with pytest.raises(NotEvaluatedError, match="1 of 2 classes"):
        point_estimate(metric, np.array([1, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_not_evaluated(metric: Metric, broken: float) -> None:
    scores = SCORES.copy()
    scores[0, 0] = broken
    with pytest.raises(NotEvaluatedError, match="NaN"):
        point_estimate(metric, LABELS, scores)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (LABELS, SCORES[:3]),
        (LABELS, SCORES[:, 0]),
        (LABELS, SCORES[:, :1]),
        (np.array([0, 0, 1, 2]), SCORES),
        (np.array([0, 0, 1, -1]), SCORES),
    ],
)
def test_scores_that_do_not_fit_are_refused(labels: np.ndarray, scores: np.ndarray) -> None:
    with pytest.raises(InputError):
        accuracy(labels, scores)


def test_small_examples_by_hand() -> None:
    assert accuracy(LABELS, SCORES) == 0.75
    assert balanced_accuracy(LABELS, SCORES) == 0.75
    assert auroc(LABELS, SCORES) == 0.5
    assert balanced_accuracy(np.array([0, 0, 0, 1]), SCORES) == pytest.approx((1 / 3 + 1) / 2)


def test_of_equal_scores_the_first_decides() -> None:
    assert decisions(np.array([[1.0, 1.0], [0.0, 1.0]])).tolist() == [0, 1]


def test_log_odds_order_cases_where_probabilities_have_reached_one() -> None:
    odds = log_odds(np.array([[50.0, 0.0, 0.0], [60.0, 0.0, 0.0]]))
    assert odds[1, 0] > odds[0, 0]
    probabilities = 1 / (1 + np.exp(-log_odds(np.array([[1.0, 2.0, 0.5]]))))
    assert probabilities.sum() == pytest.approx(1.0)
