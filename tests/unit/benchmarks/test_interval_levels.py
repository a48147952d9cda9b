"""A simulated level is worth as much as the true values of its worlds; what is missing or off is said."""

from __future__ import annotations

from typing import Any

import interval_levels
import numpy as np
import pytest
from interval_levels import ALPHAS, QUESTIONS, measure, render

from maintain.errors import NotEvaluatedError

#: So many patients that an interval is narrow against the effects.
MANY = 4000

#: A level at which one of all the worlds misses its true value in less than one test run of a hundred.
SURE = 1e-4


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("effect", ["honest", "at_margin"])
def test_a_worlds_true_value_is_true(name: str, effect: str) -> None:
    question = QUESTIONS[name]
    truth = float(getattr(question, effect))
    low, high = question.world(np.random.default_rng(8), MANY, truth)(SURE)
    assert low <= truth <= high
    assert high - low < 0.08
    other = question.at_margin if effect == "honest" else question.honest
    assert not low <= other <= high


def test_misses_are_counted_on_their_side_and_refusals_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(-1.0, 1.0), (0.1, 0.2), (-0.2, -0.1), None])

    def world(generator: np.random.Generator, patients: int, truth: float) -> interval_levels.Interval:
        answer = next(answers)

        def interval(alpha: float) -> tuple[float, float]:
            if answer is None:
                raise NotEvaluatedError("nothing", remedy="something")
            return answer

        return interval

    tried = interval_levels.Question(says="-", world=world, honest=0.0, at_margin=0.5, passes_by="low")
    monkeypatch.setattr(interval_levels, "QUESTIONS", {"tried": tried})
    cell = measure("tried", 50, "honest", repetitions=4)
    assert (cell["repetitions"], cell["judged"]) == (4, 3)
    for level in ALPHAS:
        assert cell[f"low_above_truth_{level}"] == pytest.approx(1 / 3)
        assert cell[f"high_below_truth_{level}"] == pytest.approx(1 / 3)


def test_the_table_names_what_is_off() -> None:
    cells = {
        f"{patients} {effect}": _cell(patients, effect) for patients in (50, 100) for effect in ("honest", "at margin")
    }
    cells["100 honest"] |= {"low_above_truth_95": 0.06}
    machine = {"cpu": "c", "cores": 2, "threads": 1, "python": "3", "date": "today"}
    text = render({"cells": cells, "machine": machine, "code": "0" * 64})
    assert "1 of 2 cells from 100 patients on are inside" in text
    assert "Too certain: share, 100 patients, honest (91.5%)" in text
    assert "Wider than needed: none" in text
    assert text.count("**no**") == 1
    # The wrong pass of `share` is an upper bound below the truth.
    assert "| share | 100 | 0.02 (at margin) | 95.0% | yes | 90.0% | 2.5% | 5.0% | 0 |" in text


def _cell(patients: int, effect: str) -> dict[str, Any]:
    sides = ("low_above_truth", "high_below_truth")
    return {
        "question": "share",
        "patients": patients,
        "effect": effect,
        "truth": 0.02,
        "repetitions": 2000,
        "judged": 2000,
        "seconds": 1.0,
        **{f"{side}_{level}": alpha for side in sides for level, alpha in ALPHAS.items()},
    }
