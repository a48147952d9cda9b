"""Weighted figures against scikit-learn and slow, obvious versions, for every head."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    roc_auc_score,
    roc_curve,
)

from maintain.statistics import (
    ECE_BINS,
    Scored,
    WeightedFigure,
    accuracy,
    auroc,
    balanced_accuracy,
    balanced_share_right,
    brier,
    calibration_error,
    calibration_slope,
    findings_scored,
    log_odds,
    roc_area,
    sensitivity_at,
    share_right,
    softmax_scored,
    specificity_at,
)
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.statistics.scored import BoolArray

THRESHOLD = 0.4


class Drawn:
    """Labels, logits with ties, and weights of which some are zero, for a softmax head and for findings."""

    def __init__(self, *, seed: int, columns: int, cases: int, levels: int) -> None:
        rng = np.random.default_rng(seed)
        self.labels: IntArray = np.concatenate([np.repeat(np.arange(columns), 3), rng.integers(0, columns, cases)])
        total = len(self.labels)
        logits = rng.normal(size=(total, columns)) * 1.5
        logits[np.arange(total), self.labels] += 0.7
        self.logits: FloatArray = np.round(logits * levels) / levels
        self.weights: FloatArray = rng.integers(0, 3, total).astype(np.float64)
        self.weights[: 3 * columns] = 1.0
        self.truth: BoolArray = rng.random((total, columns)) < expit(logits)
        self.truth[0], self.truth[1] = True, False
        self.known: BoolArray = rng.random((total, columns)) < 0.8
        self.known[:2] = True

    def softmax(self) -> Scored:
        return softmax_scored(self.labels, self.logits)

    def findings(self) -> Scored:
        return findings_scored(self.truth, self.known, self.logits, threshold=THRESHOLD)

    def of_findings(self, oracle: Callable[[BoolArray, FloatArray, FloatArray], float]) -> float:
        """The mean over findings of an oracle of known truths, logits and weights."""
        found = []
        for column, known in enumerate(self.known.T):
            found.append(oracle(self.truth[known, column], self.logits[known, column], self.weights[known]))
        return float(np.mean(found))


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    return Drawn(
        seed=draw(st.integers(0, 2**32 - 1)),
        columns=draw(st.integers(2, 4)),
        cases=draw(st.integers(30, 80)),
        levels=draw(st.sampled_from([1, 2, 1000])),
    )


def agree(figure: WeightedFigure, weights: FloatArray, expected: float, tolerance: float = 1e-9) -> None:
    assert figure(weights) == pytest.approx(expected, abs=tolerance)


@given(drawn())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_without_weights_a_softmax_head_has_the_plain_metrics(case: Drawn) -> None:
    scored = case.softmax()
    agree(share_right(scored), scored.evenly(), accuracy(case.labels, case.logits))
    agree(balanced_share_right(scored), scored.evenly(), balanced_accuracy(case.labels, case.logits))
    agree(roc_area(scored), scored.evenly(), auroc(case.labels, log_odds(case.logits)))


@given(drawn())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_weighted_decisions_and_areas_agree(case: Drawn) -> None:
    scored, weights = case.softmax(), case.weights
    decided = case.logits.argmax(axis=1)
    agree(share_right(scored), weights, accuracy_score(case.labels, decided, sample_weight=weights))
    agree(balanced_share_right(scored), weights, balanced_accuracy_score(case.labels, decided, sample_weight=weights))
    odds = log_odds(case.logits)
    areas = [roc_auc_score(case.labels == k, odds[:, k], sample_weight=weights) for k in range(odds.shape[1])]
    agree(roc_area(scored), weights, float(np.mean(areas)))


@given(drawn())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_figures_of_findings_agree_whatever_labels_are_unknown(case: Drawn) -> None:
    scored, weights = case.findings(), case.weights

    def decided(z: FloatArray) -> BoolArray:
        above: BoolArray = expit(z) >= THRESHOLD
        return above

    agree(
        share_right(scored), weights, case.of_findings(lambda y, z, w: accuracy_score(y, decided(z), sample_weight=w))
    )
    agree(
        balanced_share_right(scored),
        weights,
        case.of_findings(lambda y, z, w: balanced_accuracy_score(y, decided(z), sample_weight=w)),
    )
    agree(roc_area(scored), weights, case.of_findings(lambda y, z, w: roc_auc_score(y, z, sample_weight=w)))
    agree(brier(scored), weights, case.of_findings(lambda y, z, w: brier_score_loss(y, expit(z), sample_weight=w)))


@given(drawn(), st.sampled_from([0.1, 0.5, 0.9]))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_points_on_the_curve_are_the_best_of_all_thresholds(case: Drawn, fixed: float) -> None:
    scored, weights = case.findings(), case.weights

    def best(y: BoolArray, z: FloatArray, w: FloatArray, *, of_sensitivity: bool) -> float:
        false_alarms, hits, _ = roc_curve(y, z, sample_weight=w, drop_intermediate=False)
        points = zip(hits, 1 - false_alarms, strict=True)
        if of_sensitivity:
            return float(max(hit for hit, kept in points if kept >= fixed - 1e-9))
        return float(max(kept for hit, kept in points if hit >= fixed - 1e-9))

    expected = case.of_findings(lambda y, z, w: best(y, z, w, of_sensitivity=True))
    agree(sensitivity_at(scored, specificity=fixed), weights, expected)
    expected = case.of_findings(lambda y, z, w: best(y, z, w, of_sensitivity=False))
    agree(specificity_at(scored, sensitivity=fixed), weights, expected)


@given(drawn())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_brier_of_a_softmax_head_agrees(case: Drawn) -> None:
    chance, classes = softmax(case.logits, axis=1), case.logits.shape[1]
    each = [
        brier_score_loss(case.labels == k, chance[:, k], sample_weight=case.weights, pos_label=True)
        for k in range(classes)
    ]
    agree(brier(case.softmax()), case.weights, float(np.sum(each)))


@given(drawn())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_calibration_error_agrees_with_a_loop_over_bins(case: Drawn) -> None:
    chance = softmax(case.logits, axis=1)
    sure, right = chance.max(axis=1), chance.argmax(axis=1) == case.labels
    ascending, cases = sorted(sure), len(sure)
    weights = (case.weights > 0.0).astype(np.float64)
    edges = [-1.0, *(ascending[b * cases // ECE_BINS] for b in range(1, ECE_BINS)), 2.0]
    total = 0.0
    for low, high in pairwise(edges):
        members = [n for n in range(cases) if low <= sure[n] < high]
        drawn_cases = [sure[n] - right[n] for n in members for _ in range(int(weights[n]))]
        if drawn_cases:
            noise = np.var(drawn_cases) / max(len(drawn_cases) - 1, 1)
            total += len(drawn_cases) * math.sqrt(max(np.mean(drawn_cases) ** 2 - noise, 0.0))
    agree(calibration_error(case.softmax()), weights, total / weights.sum(), tolerance=1e-6)


@given(drawn())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_slope_of_a_softmax_head_is_the_inverse_temperature_of_a_direct_search(case: Drawn) -> None:
    def loss(slope: float) -> float:
        scaled = case.logits * slope
        true = scaled[np.arange(len(scaled)), case.labels]
        return float(case.weights @ (logsumexp(scaled, axis=1) - true))

    found = minimize_scalar(loss, bounds=(-20, 20), method="bounded", options={"xatol": 1e-9})
    agree(calibration_slope(case.softmax()), case.weights, found.x, tolerance=3e-4)


@given(drawn())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_slope_of_findings_is_that_of_a_logistic_regression(case: Drawn) -> None:
    def fitted(y: BoolArray, z: FloatArray, w: FloatArray) -> float:
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
        return float(model.fit(z[:, None], y, sample_weight=w).coef_[0, 0])

    agree(calibration_slope(case.findings()), case.weights, case.of_findings(fitted), tolerance=3e-4)
