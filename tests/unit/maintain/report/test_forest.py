"""Every gate is in the forest, on one scale, and its numbers are told as the gate found them."""

from __future__ import annotations

import pytest

from maintain.records import Figure, GateResult
from maintain.report.forest import ForestRow, forest_of
from maintain.vocabulary import Outcome


def row(figure: Figure) -> ForestRow:
    (gate,) = forest_of((GateResult("gate", Outcome.PASS, True, "because", (figure,)),))
    (found,) = gate.rows
    return found


def test_a_gate_without_intervals_is_there_and_a_count_is_no_row() -> None:
    (gate,) = forest_of((GateResult("integrity", Outcome.FAIL, True, "because", (Figure("files checked", 7.0),)),))
    assert gate.gate.gate == "integrity"
    assert gate.rows == ()


def test_an_area_lies_by_its_distance_from_guessing_and_is_told_as_it_is() -> None:
    found = row(Figure("attack on the candidate, AUC", 0.55, low=0.48, high=0.62, limit=0.60))
    assert found.value == pytest.approx(0.05)
    assert found.limits == pytest.approx((-0.10, 0.10))
    assert (found.told_value, found.told_interval, found.told_limit) == ("0.550", "0.480 to 0.620", "0.5 ± 0.100")


@pytest.mark.parametrize(
    ("name", "limit", "told", "limits"),
    [
        ("accuracy difference", -0.05, "> \N{MINUS SIGN}0.050", (-0.05,)),
        ("the candidate's difference", 0.10, "± 0.100", (-0.10, 0.10)),
        ("candidate less references, forgotten", 0.10, "± 0.100", (-0.10, 0.10)),
        ("share in the tail, candidate", 0.12, "< 0.120", (0.12,)),
        ("the candidate's less half the champion's, to be below 0", 0.0, "< 0.000", ()),
        ("the candidate's plus half the champion's, to be above 0", 0.0, "> 0.000", ()),
        ("the champion's difference", 0.0, "> 0.000", ()),
        ("attack on the champion, AUC", 0.5, "> 0.500", ()),
        ("churn", 0.05, "< 0.050", (0.05,)),
    ],
)
def test_a_limit_says_on_which_side_the_interval_must_lie(
    name: str, limit: float, told: str, limits: tuple[float, ...]
) -> None:
    found = row(Figure(name, 0.0, low=-0.1, high=0.1, limit=limit))
    assert found.told_limit == told
    assert found.limits == pytest.approx(limits)


def test_differences_have_a_sign_and_shares_have_none() -> None:
    assert row(Figure("accuracy difference", -0.01, low=-0.02, high=0.0)).told_value == "\N{MINUS SIGN}0.010"
    assert row(Figure("churn", 0.04, low=0.01, high=0.08)).told_value == "0.040"


def test_an_end_that_is_not_known_is_not_made_up() -> None:
    found = row(Figure("churn", 0.04, high=0.08))
    assert found.low is None
    assert found.told_interval == "… to 0.080"


def test_figures_that_a_gate_repeats_of_another_keep_their_limits() -> None:
    found = row(Figure("reference: candidate less references, forgotten", 0.0, low=-0.1, high=0.1, limit=0.1))
    assert found.told_limit == "± 0.100"
    assert row(Figure("membership: attack on the candidate, AUC", 0.5, low=0.4, high=0.6, limit=0.6)).value == 0.0


def test_there_is_no_minus_zero() -> None:
    assert row(Figure("accuracy difference", -0.0001, low=-0.1, high=0.1)).told_value == "+0.000"


def test_how_alike_the_cases_are_is_no_effect_of_a_model() -> None:
    figure = Figure("balance of difficulty", 0.02, limit=0.25)
    (gate,) = forest_of((GateResult("held-out", Outcome.PASS, True, "because", (figure,)),))
    assert gate.rows == ()
