from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import effective_size, standard_weights, standardised_difference


def test_a_label_without_a_case_in_the_second_arm_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="1 labels"):
        standard_weights(["a", "b"], ["a", "a"])
    for first, second in (([], ["a"]), (["a"], [])):
        with pytest.raises(NotEvaluatedError, match="no cases"):
            standard_weights(first, second)


@pytest.mark.parametrize("bad", [[-1.0, 1.0], [np.nan, 1.0]])
def test_weights_that_are_none_are_refused(bad: list[float]) -> None:
    with pytest.raises(InputError, match="weight"):
        effective_size(np.array(bad))
    with pytest.raises(InputError, match="weight"):
        standardised_difference(np.ones(2), np.ones(2), np.array(bad))
    with pytest.raises(NotEvaluatedError, match="No case"):
        effective_size(np.zeros(2))


def test_the_second_arm_is_mixed_as_the_first() -> None:
    first, second = [0, 0, 0, 1], [0, 1, 1, 1, 2, 2]
    weights = standard_weights(first, second)
    assert weights.mean() == pytest.approx(1.0)
    assert weights.tolist() == pytest.approx([4.5, 0.5, 0.5, 0.5, 0.0, 0.0])
    assert weights[np.array(second) == 0].sum() / weights.sum() == pytest.approx(0.75)
    assert effective_size(weights) == pytest.approx(36.0 / (4.5**2 + 3 * 0.25))


def test_equal_weights_count_every_case() -> None:
    assert effective_size(standard_weights(["a", "b"], ["b", "a"] * 50)) == pytest.approx(100.0)


def test_a_difference_is_in_standard_deviations_and_weights_can_take_it_away() -> None:
    first, second = np.array([0.0, 2.0]), np.array([0.0, 4.0])
    assert standardised_difference(first, second, np.ones(2)) == pytest.approx(-1.0 / np.sqrt((1.0 + 4.0) / 2.0))
    assert standardised_difference(first, second, np.array([1.5, 0.5])) == pytest.approx(0.0)


def test_arms_that_do_not_vary_differ_by_nothing_or_are_not_evaluated() -> None:
    assert standardised_difference(np.full(3, 0.1), np.full(2, 0.1), np.ones(2)) == 0.0
    with pytest.raises(NotEvaluatedError, match="varies"):
        standardised_difference(np.zeros(3), np.ones(2), np.ones(2))
    with pytest.raises(NotEvaluatedError, match="NaN"):
        standardised_difference(np.array([np.nan, 1.0]), np.ones(2), np.ones(2))
    with pytest.raises(NotEvaluatedError, match="no cases"):
        standardised_difference(np.zeros(0), np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="do not fit"):
        standardised_difference(np.zeros(3), np.ones(3), np.ones(2))
