"""The figures of every head: what they refuse, and small examples by hand. Oracles: test_scored_oracle.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import (
    ECE_BINS,
    Scored,
    WeightedFigure,
    balanced_share_right,
    brier,
    calibration_error,
    calibration_slope,
    finding_roc_area,
    findings_scored,
    roc_area,
    sensitivity_at,
    share_right,
    softmax_scored,
    specificity_at,
)
from maintain.statistics.metrics import FloatArray, IntArray

FIGURES: dict[str, Callable[[Scored], WeightedFigure]] = {
    "share right": share_right,
    "balanced": balanced_share_right,
    "area": roc_area,
    "sensitivity": lambda scored: sensitivity_at(scored, specificity=0.9),
    "specificity": lambda scored: specificity_at(scored, sensitivity=0.9),
    "brier": brier,
    "calibration error": calibration_error,
    "calibration slope": calibration_slope,
}
OF_ORDER = ("area", "sensitivity", "specificity", "calibration error", "calibration slope")
OF_CLASSES = ("balanced", "area", "sensitivity", "specificity")


def softmax_of(labels: IntArray, seed: int = 3) -> Scored:
    logits: FloatArray = np.random.default_rng(seed).normal(size=(len(labels), 2))
    return softmax_scored(labels, logits)


def binary(truth: list[bool], odds: list[float], *, threshold: float = 0.5, known: list[bool] | None = None) -> Scored:
    labels = np.array(truth)[:, None]
    mask = np.ones_like(labels) if known is None else np.array(known)[:, None]
    return findings_scored(labels, mask, np.array(odds)[:, None], threshold=threshold)


def value(figure: WeightedFigure, scored: Scored) -> float:
    return figure(scored.evenly())


def test_nothing_given_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="no cases"):
        softmax_scored(np.empty(0, dtype=np.int64), np.empty((0, 2)))
    with pytest.raises(NotEvaluatedError, match="no labelled cases"):
        binary([], [])
    with pytest.raises(NotEvaluatedError, match="no labelled cases"):
        binary([True, False], [1.0, 0.0], known=[False, False])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_not_evaluated(broken: float) -> None:
    with pytest.raises(NotEvaluatedError, match="NaN"):
        softmax_scored(np.array([0, 1]), np.array([[0.0, broken], [1.0, 0.0]]))
    with pytest.raises(NotEvaluatedError, match="NaN"):
        binary([True, False], [broken, 0.0])


@pytest.mark.parametrize("threshold", [0.0, 1.0, 2.0, np.nan])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        binary([True, False], [1.0, 0.0], threshold=threshold)


def test_shapes_that_do_not_fit_are_refused() -> None:
    labels = np.ones((3, 2), dtype=np.bool_)
    for known, logits in ((labels[:2], np.zeros((3, 2))), (labels, np.zeros((3, 1))), (labels, np.zeros(3))):
        with pytest.raises(InputError, match="do not fit"):
            findings_scored(labels, known, logits, threshold=0.5)


@pytest.mark.parametrize("name", OF_ORDER)
def test_scores_that_are_all_the_same_are_not_evaluated(name: str) -> None:
    tied = softmax_scored(np.arange(60) % 2, np.zeros((60, 2)))
    with pytest.raises(NotEvaluatedError):
        value(FIGURES[name](tied), tied)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_one_class_only_is_not_evaluated(name: str) -> None:
    for scored in (softmax_of(np.zeros(60, dtype=np.int64)), binary([True] * 60, [float(n) for n in range(60)])):
        with pytest.raises(NotEvaluatedError):
            value(FIGURES[name](scored), scored)


@pytest.mark.parametrize("name", FIGURES)
def test_no_case_with_any_weight_is_not_evaluated(name: str) -> None:
    scored = softmax_of(np.arange(60) % 2)
    with pytest.raises(NotEvaluatedError):
        FIGURES[name](scored)(np.zeros(60))


@pytest.mark.parametrize("name", FIGURES)
def test_weights_are_copies_of_cases(name: str) -> None:
    """Without their order, the bins of the calibration error are drawn on the cases as they are."""
    scored = softmax_of(np.arange(60) % 2)
    figure = FIGURES[name](scored)
    assert figure(np.full(60, 7.0)) == pytest.approx(value(figure, scored))


def test_noise_alone_is_hardly_a_calibration_error() -> None:
    rng, found = np.random.default_rng(9), []
    for _ in range(50):
        odds = rng.normal(size=300)
        truth = rng.random(300) < 1 / (1 + np.exp(-odds))
        scored = binary(truth.tolist(), odds.tolist())
        found.append(value(calibration_error(scored), scored))
    assert np.mean(found) < 0.045  # 0.066 where noise is left in


def test_separated_cases_have_no_slope() -> None:
    separated = binary([False] * 10 + [True] * 10, [float(n) for n in range(20)])
    with pytest.raises(NotEvaluatedError, match="separate"):
        value(calibration_slope(separated), separated)
    sure = softmax_scored(np.array([0, 1] * 10), np.array([[1.0, 0.0], [0.0, 1.0]] * 10))
    with pytest.raises(NotEvaluatedError, match="separate"):
        value(calibration_slope(sure), sure)


def test_fewer_cases_than_bins_have_no_calibration_error() -> None:
    with pytest.raises(NotEvaluatedError, match="19 cases do not fill 10 bins"):
        calibration_error(softmax_of(np.arange(2 * ECE_BINS - 1) % 2))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, np.nan])
def test_a_share_that_fixes_nothing_is_refused(share: float) -> None:
    scored = softmax_of(np.arange(20) % 2)
    with pytest.raises(InputError, match="fixed share"):
        sensitivity_at(scored, specificity=share)
    with pytest.raises(InputError, match="fixed share"):
        specificity_at(scored, sensitivity=share)


def test_a_binary_head_decides_by_its_threshold() -> None:
    truth, odds = [True, True, False, False], [2.0, -0.5, -0.5, -2.0]
    for threshold, expected in ((0.5, 0.75), (0.3, 0.75), (0.9, 0.5), (0.1, 0.5)):
        scored = binary(truth, odds, threshold=threshold)
        assert value(share_right(scored), scored) == expected
    scored = binary(truth, odds)
    assert value(roc_area(scored), scored) == pytest.approx(3.5 / 4)
    assert value(sensitivity_at(scored, specificity=0.9), scored) == 0.5
    assert value(specificity_at(scored, sensitivity=0.9), scored) == 0.5


def test_unknown_labels_count_nowhere() -> None:
    few = binary([True, True, False, False], [2.0, -0.5, -0.5, -2.0])
    more = binary(
        [True, True, False, False, True], [2.0, -0.5, -0.5, -2.0, -9.0], known=[True, True, True, True, False]
    )
    for figure in (share_right, balanced_share_right, roc_area, brier):
        assert value(figure(more), more) == pytest.approx(value(figure(few), few))


def test_each_finding_has_an_area_of_its_own_and_the_mean_goes_over_them() -> None:
    rng = np.random.default_rng(2)
    labels = rng.random((50, 3)) < 0.5
    scored = findings_scored(labels, np.ones_like(labels), rng.normal(size=(50, 3)), threshold=0.5)
    each = [value(finding_roc_area(scored, column), scored) for column in range(3)]
    assert value(roc_area(scored), scored) == pytest.approx(np.mean(each))


def test_a_class_without_cases_may_be_left_out_of_means() -> None:
    rng = np.random.default_rng(6)
    labels, logits = np.arange(40) % 2, rng.normal(size=(40, 3))
    scored = softmax_scored(labels, logits, classes=(0, 1))
    assert 0.0 < value(balanced_share_right(scored), scored) < 1.0
    whole = softmax_scored(labels, logits)
    with pytest.raises(NotEvaluatedError):
        value(balanced_share_right(whole), whole)
    with pytest.raises(InputError, match="left out"):
        softmax_scored(labels, logits, classes=(1, 2))


def test_a_perfect_and_sure_model_has_no_brier_score_to_speak_of_and_a_wrong_one_two() -> None:
    labels = np.arange(10) % 2
    sure = 50.0 * np.eye(2)
    for decided, expected in ((labels, 0.0), (1 - labels, 2.0)):
        scored = softmax_scored(labels, sure[decided])
        assert value(brier(scored), scored) == pytest.approx(expected)


def test_logits_twice_too_large_have_half_the_slope() -> None:
    rng = np.random.default_rng(7)
    labels = np.arange(400) % 3
    logits = rng.normal(size=(400, 3)) + 1.5 * np.eye(3)[labels]
    once, twice = softmax_scored(labels, logits), softmax_scored(labels, 2.0 * logits)
    slope = value(calibration_slope(once), once)
    assert value(calibration_slope(twice), twice) == pytest.approx(slope / 2)
    surest = softmax_scored(labels, 9.0 * logits)
    assert value(calibration_error(surest), surest) > value(calibration_error(once), once)
