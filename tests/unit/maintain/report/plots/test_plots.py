"""Each drawing tells its numbers to whoever cannot see it, and tells old from new by shape."""

from __future__ import annotations

import html
import math
import re

from maintain.records import Figure, GateResult
from maintain.report import Answered, Attack, Curve, Estimate, GroupRow, Groups, OldAndNew
from maintain.report.forest import forest_of
from maintain.report.plots import draw_forest, draw_groups, draw_panel, draw_roc
from maintain.vocabulary import Outcome

OLD, NEW = Estimate(0.9, 0.8, 0.95), Estimate(0.7, 0.6, 0.78)


def test_the_forest_has_every_gate_and_every_outcome_in_words() -> None:
    figure = Figure("accuracy difference", -0.01, low=-0.04, high=0.02, limit=-0.05)
    far = Figure("the champion's difference", 3.0, low=2.0, high=4.0, limit=0.0)
    gates = tuple(
        GateResult(name, outcome, decisive, "because", figures)
        for name, outcome, decisive, figures in (
            ("integrity", Outcome.PASS, True, ()),
            ("retention", Outcome.FAIL, True, (figure,)),
            ("held-out", Outcome.NOT_EVALUATED, False, (figure, far)),
        )
    )
    drawn = html.unescape(draw_forest(forest_of(gates)))
    for word in (
        ">PASS<",
        ">no figure with an interval<",
        ">FAIL<",
        ">NOT EVALUATED, reported only<",
        "the champion's difference",
    ):
        assert word in drawn, word
    assert (
        "accuracy difference \N{MINUS SIGN}0.010 from \N{MINUS SIGN}0.040 to +0.020, limit > \N{MINUS SIGN}0.050"
        in drawn
    )
    assert 'class="limit"' in drawn
    assert "nan" not in drawn
    assert "inf" not in drawn.replace("information", "")


def test_long_names_are_broken_and_never_cut() -> None:
    name = "accuracy difference in device.model x patient.sex: Aurora FC-3 x female and more of it"
    gate = GateResult("retention", Outcome.PASS, True, "because", (Figure(name, 0.0, low=-0.1, high=0.1),))
    drawn = str(draw_forest(forest_of((gate,))))
    assert drawn.count('class="name"') == 3
    assert name in drawn  # in the description


def test_what_a_gate_without_figures_says_fits_into_the_column_of_outcomes() -> None:
    gate = GateResult("bn-recalibration", Outcome.NOT_EVALUATED, False, "too few cases", ())
    said = re.findall(r'class="outcome"[^>]*>([^<]*)<', str(draw_forest(forest_of((gate,)))))
    assert said == ["NOT EVALUATED, reported only"]  # 28 bold letters of 12.5 pixels; there is room for 33


def test_a_panel_tells_old_from_new_by_shape_and_word() -> None:
    drawn = str(draw_panel("Forgotten", OldAndNew(Answered(OLD, OLD), Answered(NEW, NEW))))
    for said in ("old 0.900", "new 0.700", 'circle class="old"', 'circle class="new"', "range old"):
        assert said in drawn, said
    assert "accuracy old 0.900 (0.800 to 0.950), new 0.700 (0.600 to 0.780)" in drawn


def test_groups_share_one_scale() -> None:
    rows = tuple(GroupRow(name, 20, 12, OLD, NEW) for name in ("a", "b"))
    first, second, axis = draw_groups(Groups(rows, ""))
    assert str(first).replace("in a", "in b") == str(second)
    assert "accuracy from 0.6 to 1" in axis


def test_a_perfect_group_has_a_scale_too() -> None:
    sure = Estimate(1.0, 1.0, 1.0)
    assert len(draw_groups(Groups((GroupRow("a", 20, 12, sure, sure),), ""))) == 2


def test_curves_are_dashed_and_solid_and_told_by_their_areas() -> None:
    curves = [Curve(((0.0, 0.0), (0.2, math.sqrt(0.2)), (1.0, 1.0)), area) for area in (OLD, NEW)]
    drawn = str(draw_roc(Attack(100, 200, *curves)))
    assert 'class="curve old"' in drawn
    assert 'class="curve new"' in drawn
    assert "area under the curve: old 0.900 (0.800 to 0.950), new 0.700 (0.600 to 0.780)" in drawn


def test_the_scale_is_that_of_figures_with_limits_and_others_point_beyond_it() -> None:
    held = Figure("accuracy difference", -0.01, low=-0.04, high=0.02, limit=-0.05)
    free = Figure("calibration slope difference", 0.7, low=0.6, high=0.8)
    alone, beside = (
        str(draw_forest(forest_of((GateResult("retention", Outcome.PASS, True, "because", figures),))))
        for figures in ((held,), (held, free))
    )
    assert beside.count('class="tick"') == alone.count('class="tick"')
    assert beside.count("<circle") == alone.count("<circle")
    assert beside.count('<path class="new"') == 1
    assert beside.count('class="arrow"') == 0
