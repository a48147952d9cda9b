"""The curves of the attack: those of the gate itself, and no curve where the gate has no figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.behaviour import examples_evidence, judged
from maintain.errors import NotEvaluatedError
from maintain_pipelines.reporting.attack import MOST_POINTS, attack_of


def test_without_difficulty_or_enough_cases_there_is_no_curve() -> None:
    with pytest.raises(NotEvaluatedError, match="difficult"):
        attack_of(replace(examples_evidence(), difficulty=None))
    with pytest.raises(NotEvaluatedError, match="needed of each"):
        attack_of(examples_evidence(forget=60, never_seen=400))


def test_the_areas_are_the_figures_of_the_gate() -> None:
    evidence = examples_evidence()
    attack = attack_of(evidence)
    gate = {figure.name: figure for figure in judged("membership", evidence).figures}
    for who, curve in (("champion", attack.champion), ("candidate", attack.candidate)):
        figure = gate[f"attack on the {who}, AUC"]
        assert (curve.area.value, curve.area.low, curve.area.high) == (figure.value, figure.low, figure.high)
    assert (attack.forgotten, attack.never_seen) == (400, 400)


def test_the_area_under_the_drawn_points_is_nearly_the_area() -> None:
    attack = attack_of(examples_evidence())
    for curve in (attack.champion, attack.candidate):
        x, y = np.asarray(curve.points).T
        assert len(x) <= MOST_POINTS
        assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, 1.0)
        assert (np.diff(x) >= 0).all()
        assert (np.diff(y) >= 0).all()
        assert np.trapezoid(y, x) == pytest.approx(curve.area.value, abs=0.01)
