"""Metrics against scikit-learn, over drawn scores with many ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from maintain.statistics import accuracy, auroc, balanced_accuracy, decisions, placements
from maintain.statistics.metrics import FloatArray, IntArray


@st.composite
def scored(draw: st.DrawFn) -> tuple[IntArray, FloatArray]:
    """Labels with every class present, and coarse scores, so that ties are common."""
    classes = draw(st.integers(2, 4))
    cases = draw(st.integers(classes, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 3, 10, 1000]))
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, cases - classes)])
    return rng.permutation(labels), rng.integers(0, levels, (cases, classes)) / levels


@given(scored())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_accuracies_agree(drawn: tuple[IntArray, FloatArray]) -> None:
    labels, scores = drawn
    assert accuracy(labels, scores) == pytest.approx(accuracy_score(labels, decisions(scores)))
    expected = balanced_accuracy_score(labels, decisions(scores))
    assert balanced_accuracy(labels, scores) == pytest.approx(expected)


@given(scored())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_auroc_agrees_with_ties(drawn: tuple[IntArray, FloatArray]) -> None:
    labels, scores = drawn
    each = [roc_auc_score(labels == k, scores[:, k]) for k in range(scores.shape[1])]
    assert auroc(labels, scores) == pytest.approx(np.mean(each))


@given(scored())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_placements_agree_with_counting_pairs(drawn: tuple[IntArray, FloatArray]) -> None:
    labels, scores = drawn
    column, positive = scores[:, 0], labels == 0
    found = placements(positive, column)
    for case, score in enumerate(column):
        others = column[positive != positive[case]]
        above = [1.0 if score > other else 0.5 if score == other else 0.0 for other in others]
        expected = np.mean(above) if positive[case] else 1.0 - np.mean(above)
        assert found[case] == pytest.approx(expected)
