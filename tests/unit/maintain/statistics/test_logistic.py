from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import fit_logistic

FEATURES = np.random.default_rng(1).normal(size=(60, 3))
LABELS = np.arange(60) % 3


def test_what_cannot_be_learned_from_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="1 of 4 classes"):
        fit_logistic(FEATURES, LABELS, 4, penalty=0.1)
    with pytest.raises(NotEvaluatedError, match="classes"):
        fit_logistic(FEATURES[:0], LABELS[:0], 3, penalty=0.1)
    with pytest.raises(NotEvaluatedError, match="NaN"):
        fit_logistic(np.where(FEATURES > 2.0, np.nan, FEATURES), LABELS, 3, penalty=0.1)


def test_what_does_not_fit_is_refused() -> None:
    for features, labels, classes, penalty in (
        (FEATURES[:, 0], LABELS, 3, 0.1),
        (FEATURES, LABELS[:5], 3, 0.1),
        (FEATURES, LABELS, 1, 0.1),
        (FEATURES, LABELS, 2, 0.1),
        (FEATURES, LABELS - 1, 3, 0.1),
        (FEATURES, LABELS, 3, 0.0),
        (FEATURES, LABELS, 3, float("nan")),
    ):
        with pytest.raises(InputError):
            fit_logistic(features, labels, classes, penalty=penalty)
    with pytest.raises(InputError, match="other features"):
        fit_logistic(FEATURES, LABELS, 3, penalty=0.1).log_probabilities(FEATURES[:, :2])


def test_constant_features_change_nothing() -> None:
    plain = fit_logistic(FEATURES, LABELS, 3, penalty=0.1)
    more = fit_logistic(np.hstack([FEATURES, np.full((60, 1), 0.1)]), LABELS, 3, penalty=0.1)
    other = np.hstack([FEATURES, np.full((60, 1), 7.0)])
    assert np.allclose(more.log_probabilities(other), plain.log_probabilities(FEATURES), atol=1e-4)


def test_without_features_the_shares_of_the_classes_remain() -> None:
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    found = fit_logistic(np.zeros((60, 0)), labels, 3, penalty=0.1).log_probabilities(np.zeros((1, 0)))
    assert np.exp(found[0]) == pytest.approx([1 / 6, 1 / 3, 1 / 2])


def test_the_same_cases_give_the_same_model() -> None:
    first, second = (fit_logistic(FEATURES, LABELS, 3, penalty=0.1) for _ in range(2))
    assert np.array_equal(first.coefficients, second.coefficients)
