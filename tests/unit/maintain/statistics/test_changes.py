from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import IntervalMethod, Scored, churn, findings_scored, new_misses, share_bound, softmax_scored

ALPHA = 0.05
LABELS = np.arange(100) % 2
PATIENTS = [f"{number:03d}" for number in range(100)]


def deciding(wrong: range) -> Scored:
    """A softmax model that is wrong in these cases."""
    decided = LABELS.copy()
    decided[list(wrong)] = 1 - decided[list(wrong)]
    return softmax_scored(LABELS, np.eye(2)[decided])


def test_models_measured_on_other_cases_or_labels_are_refused() -> None:
    turned = softmax_scored(1 - LABELS, np.eye(2)[LABELS])
    shorter = softmax_scored(LABELS[:50], np.eye(2)[LABELS[:50]])
    for other in (turned, shorter):
        for change in (churn, new_misses):
            with pytest.raises(InputError, match="same cases"):
                change(deciding(range(0)), other, PATIENTS, alpha=ALPHA)


def test_a_model_that_was_never_right_has_nothing_to_miss() -> None:
    with pytest.raises(NotEvaluatedError, match="no case rightly"):
        new_misses(deciding(range(100)), deciding(range(5)), PATIENTS, alpha=ALPHA)


def test_nothing_changed_still_has_a_bound() -> None:
    for change in (churn, new_misses):
        found = change(deciding(range(3)), deciding(range(3)), PATIENTS, alpha=ALPHA)
        assert found.method is IntervalMethod.EXACT
        assert found.estimate == found.low == 0.0 < found.high


def test_of_right_decisions_only_those_then_wrong_are_new_misses() -> None:
    before, after = deciding(range(20)), deciding(range(10, 36))
    changed, missed = (change(before, after, PATIENTS, alpha=ALPHA) for change in (churn, new_misses))
    assert changed.estimate == pytest.approx(0.26)
    assert missed.estimate == pytest.approx(16 / 80)
    hits = np.isin(np.arange(20, 100), np.arange(20, 36))
    assert missed == share_bound(hits, PATIENTS[20:], alpha=ALPHA)


def test_each_finding_of_a_case_is_a_decision_and_unknown_ones_are_no_misses() -> None:
    labels = np.ones((40, 2), dtype=np.bool_)
    known = labels.copy()
    known[:, 1] = False
    odds = np.ones((40, 2))
    turned = odds.copy()
    turned[:10] = -1.0
    before, after = (findings_scored(labels, known, scores, threshold=0.5) for scores in (odds, turned))
    changed, missed = (change(before, after, PATIENTS[:40], alpha=ALPHA) for change in (churn, new_misses))
    assert (changed.estimate, changed.cases, changed.patients) == (0.25, 80, 40)
    assert (missed.estimate, missed.cases) == (0.25, 40)
