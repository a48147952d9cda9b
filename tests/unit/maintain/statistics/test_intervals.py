from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import IntervalMethod, Metric, PairedDifference, paired_bound
from maintain.statistics.metrics import FloatArray, IntArray

ALPHA = 0.025


def scores_of(labels: IntArray, right: IntArray, classes: int = 2) -> FloatArray:
    """One-hot scores that decide rightly where `right` says so."""
    return np.eye(classes)[np.where(right == 1, labels, (labels + 1) % classes)]


def bounded(
    right_before: IntArray, right_after: IntArray, *, metric: Metric = Metric.ACCURACY, each: int = 1
) -> PairedDifference:
    labels = np.arange(len(right_before)) // each % 2
    return paired_bound(
        metric,
        labels=labels,
        before=scores_of(labels, right_before),
        after=scores_of(labels, right_after),
        patients=[str(number // each) for number in range(len(labels))],
        alpha=ALPHA,
    )


def changed(cases: int, losses: int = 0, gains: int = 0) -> tuple[IntArray, IntArray]:
    before, after = np.ones(cases, dtype=np.int64), np.ones(cases, dtype=np.int64)
    after[:losses] = 0
    before[cases - gains :] = 0
    return before, after


def test_one_patient_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="one patient"):
        bounded(*changed(8, losses=2), each=8)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 0.5, 1.0, float("nan")])
def test_a_level_that_is_none_is_refused(alpha: float) -> None:
    labels = np.array([0, 1])
    with pytest.raises(InputError, match="level"):
        paired_bound(Metric.ACCURACY, labels=labels, before=np.eye(2), after=np.eye(2), patients="ab", alpha=alpha)


def test_models_measured_on_other_cases_are_refused() -> None:
    with pytest.raises(InputError, match="same cases"):
        paired_bound(
            Metric.ACCURACY,
            labels=np.array([0, 1]),
            before=np.eye(2),
            after=np.eye(2),
            patients="a",
            alpha=ALPHA,
        )


@pytest.mark.parametrize("metric", [Metric.BALANCED_ACCURACY, Metric.AUROC])
def test_a_class_without_cases_is_not_evaluated(metric: Metric) -> None:
    labels = np.zeros(4, dtype=np.int64)
    scores = scores_of(labels, np.ones(4, dtype=np.int64))
    with pytest.raises(NotEvaluatedError, match="classes"):
        paired_bound(metric, labels=labels, before=scores, after=scores, patients="abcd", alpha=ALPHA)


def test_without_any_change_the_bound_is_the_exact_one() -> None:
    """Table of the power study, section 4: 72 patients are the fewest that show a loss below .05."""
    for patients, shown in ((72, True), (71, False)):
        found = bounded(*changed(patients))
        assert found.method is IntervalMethod.EXACT
        assert found.low == pytest.approx(-(1 - ALPHA ** (1 / patients)))
        assert found.high == -found.low
        assert (found.low > -0.05) is shown
    assert bounded(*changed(183)).low > -0.02 > bounded(*changed(182)).low


def test_the_exact_bound_is_weighted_by_the_largest_share() -> None:
    labels = np.arange(20) % 2
    scores = scores_of(labels, np.ones(20, dtype=np.int64))
    patients = ["large"] * 10 + [str(number) for number in range(10)]
    found = paired_bound(Metric.ACCURACY, labels=labels, before=scores, after=scores, patients=patients, alpha=ALPHA)
    assert found.low == pytest.approx(-min(1.0, (1 - ALPHA ** (1 / 11)) * 11 * 0.5))


def test_few_discordant_patients_get_the_wider_bound_on_both_sides() -> None:
    found = bounded(*changed(200, losses=4))
    assert found.method is IntervalMethod.CLUSTER_T_CORRECTED
    assert found.discordant_patients == 4
    differences = np.zeros(202)
    differences[:4], differences[200], differences[201] = -1, 1, -1
    error = np.sqrt(202 / 201 * np.sum((differences - differences.mean()) ** 2)) / 202
    reach = student.ppf(1 - ALPHA, 201) * error
    assert found.low == pytest.approx(differences.mean() - reach)
    assert found.high == pytest.approx(differences.mean() + reach)


def test_from_thirty_discordant_patients_on_the_t_interval_stands() -> None:
    assert bounded(*changed(200, losses=15, gains=14)).method is IntervalMethod.CLUSTER_T_CORRECTED
    assert bounded(*changed(200, losses=15, gains=15)).method is IntervalMethod.CLUSTER_T


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("losses", [0, 1, 29, 30, 59, 60])
def test_an_interval_never_has_width_zero(metric: Metric, losses: int) -> None:
    found = bounded(*changed(60, losses=losses), metric=metric)
    assert found.low < found.high
    assert -1.0 <= found.low <= found.estimate <= found.high <= 1.0


def test_gains_do_not_hide_losses() -> None:
    quiet = bounded(*changed(100))
    balanced = bounded(*changed(100, losses=20, gains=20))
    assert balanced.estimate == quiet.estimate == 0.0
    assert balanced.low < quiet.low


def test_a_class_of_few_patients_does_not_speak_for_itself() -> None:
    """Three patients of a rare class without a change: plain t would call its accuracy certain."""
    labels = np.repeat([0, 1, 2], [200, 200, 3])
    right = np.ones(403, dtype=np.int64)
    after = right.copy()
    after[:40] = 0
    found = paired_bound(
        Metric.BALANCED_ACCURACY,
        labels=labels,
        before=scores_of(labels, right, 3),
        after=scores_of(labels, after, 3),
        patients=[str(number) for number in range(403)],
        alpha=ALPHA,
    )
    assert found.method is IntervalMethod.CLUSTER_T_CORRECTED
    assert found.low < -0.2


def test_swapping_the_models_mirrors_the_interval() -> None:
    before, after = changed(120, losses=9, gains=3)
    for metric in Metric:
        one, other = bounded(before, after, metric=metric), bounded(after, before, metric=metric)
        assert (one.estimate, one.low, one.high) == pytest.approx((-other.estimate, -other.high, -other.low))


def test_the_counts_are_reported() -> None:
    found = bounded(*changed(120, losses=6), each=3)
    assert (found.cases, found.patients, found.df, found.discordant_patients) == (120, 40, 39, 2)


def three_classes(right: IntArray) -> tuple[IntArray, FloatArray]:
    """Cases of the first two of three classes."""
    labels = np.arange(len(right)) % 2
    return labels, scores_of(labels, right, 3)


@pytest.mark.parametrize("metric", [Metric.BALANCED_ACCURACY, Metric.AUROC])
def test_a_class_that_no_case_has_may_be_left_out_and_no_other(metric: Metric) -> None:
    before, after = changed(120, losses=40)
    labels, first = three_classes(before)
    _, second = three_classes(after)
    patients = [str(number) for number in range(120)]

    def bound(classes: tuple[int, ...] | None) -> PairedDifference:
        return paired_bound(
            metric, labels=labels, before=first, after=second, patients=patients, alpha=ALPHA, classes=classes
        )

    found = bound((0, 1))
    assert found.low < found.estimate < 0
    if metric is Metric.BALANCED_ACCURACY:
        assert found.estimate == pytest.approx(-1 / 3)
    with pytest.raises(NotEvaluatedError, match="1 of 3 classes"):
        bound(None)
    with pytest.raises(InputError, match="left out"):
        bound((0,))
    for wrong in ((1, 0), (0, 0, 1), (0, 1, 3), (-1, 0, 1)):
        with pytest.raises(InputError, match="ascending"):
            bound(wrong)


@pytest.mark.parametrize("metric", [Metric.BALANCED_ACCURACY, Metric.AUROC])
def test_one_class_left_is_not_evaluated(metric: Metric) -> None:
    labels = np.zeros(4, dtype=np.int64)
    scores = scores_of(labels, np.ones(4, dtype=np.int64))
    with pytest.raises(NotEvaluatedError, match="one class"):
        paired_bound(metric, labels=labels, before=scores, after=scores, patients="abcd", alpha=ALPHA, classes=(0,))


@pytest.mark.parametrize("metric", Metric)
def test_naming_every_class_changes_nothing(metric: Metric) -> None:
    before, after = changed(90, losses=40, gains=8)
    labels = np.arange(90) % 2
    arguments = {
        "labels": labels,
        "before": scores_of(labels, before),
        "after": scores_of(labels, after),
        "patients": [str(number) for number in range(90)],
        "alpha": ALPHA,
    }
    assert paired_bound(metric, **arguments) == paired_bound(metric, **arguments, classes=(0, 1))  # type: ignore[arg-type]
