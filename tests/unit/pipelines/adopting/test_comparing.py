"""Expected outputs: too few, too far or in another order is refused, with what is likely wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maintain.errors import InputError
from maintain.intake import OutputRow
from maintain_pipelines.adopting.comparing import FEWEST_COMPARED, comparable, compare, softmax

LABELS = ("a", "b", "c")
LOGITS = np.random.default_rng(3).normal(scale=2.0, size=(20, 3)).tolist()


def rows(logits: list[list[float]], order: tuple[int, ...] = (0, 1, 2)) -> list[OutputRow]:
    answers = [softmax(row) for row in logits]
    return [OutputRow(f"case-{place:02d}", tuple(row[at] for at in order)) for place, row in enumerate(answers)]


def test_too_few_cases_are_refused() -> None:
    known = {f"case-{place:02d}": None for place in range(FEWEST_COMPARED - 1)}
    with pytest.raises(InputError, match="Of 20 rows of expected outputs, 9 are of cases"):
        comparable(rows(LOGITS), known)
    assert len(comparable(rows(LOGITS), {**known, "case-19": None})) == FEWEST_COMPARED


def test_outputs_that_differ_are_refused_with_the_worst_of_them() -> None:
    other = [list(row) for row in LOGITS]
    other[4][0] += 3
    with pytest.raises(InputError, match=r"1 of 20 cases differ by more than 0\.001, the worst by 0\.") as caught:
        compare(rows(LOGITS), other, LABELS, tolerance=1e-3, without_case=0)
    assert "preprocessing" in caught.value.remedy
    assert "8 bits" not in caught.value.remedy
    with pytest.raises(InputError) as caught:
        compare(rows(LOGITS), other, LABELS, tolerance=1e-3, without_case=0, rounding=0.01)
    assert "8 bits" in caught.value.remedy


@pytest.mark.parametrize("order", [(1, 0, 2), (1, 2, 0), (2, 0, 1)])
def test_another_order_of_labels_is_recognised(order: tuple[int, ...]) -> None:
    """Column i of the export is output order[i], so the label of output order[i] is LABELS[i]."""
    with pytest.raises(InputError) as caught:
        compare(rows(LOGITS, order), LOGITS, LABELS, tolerance=1e-3, without_case=0)
    right = [LABELS[order.index(place)] for place in range(3)]
    assert caught.value.remedy.endswith(f"NAME={','.join(right)}")


def test_outputs_that_agree_are_said_with_their_worst_difference() -> None:
    nearly = [[value + 1e-4 for value in row[:1]] + row[1:] for row in LOGITS]
    found = compare(rows(LOGITS), nearly, LABELS, tolerance=1e-3, without_case=2)
    assert (found.cases, found.tolerance, found.without_case) == (20, 1e-3, 2)
    assert 0 < found.worst < 1e-4


def test_softmax_is_the_formula_and_does_not_overflow() -> None:
    assert softmax((0.0, math.log(3.0))) == pytest.approx((0.25, 0.75))
    assert softmax((1e4, 0.0)) == (1.0, 0.0)
