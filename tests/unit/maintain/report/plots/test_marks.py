"""Shapes are escaped, scales keep what they are given inside, and outcomes differ by shape."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maintain.report.plots.marks import Scale, drawing, interval, outcome_mark, text
from maintain.vocabulary import Outcome

FINITE = st.floats(-1e3, 1e3, allow_nan=False)


def test_what_is_said_is_escaped_everywhere() -> None:
    hostile = '"><script>alert(1)</script>'
    drawn = str(drawing(10, 10, hostile, hostile, (text("name", 0, 0, hostile),)))
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") == 5  # the label holds both


def test_a_drawing_says_what_it_shows() -> None:
    drawn = str(drawing(10, 10, "a title", "its numbers", ()))
    assert 'role="img"' in drawn
    assert 'aria-label="a title. its numbers"' in drawn
    assert "<title>a title</title><desc>its numbers</desc>" in drawn


@given(low=FINITE, span=st.floats(1e-3, 1e3), value=FINITE)
def test_nothing_is_placed_outside_and_order_is_kept(low: float, span: float, value: float) -> None:
    scale = Scale(low, low + span, 10.0, 110.0)
    assert 10.0 <= scale.place(value) <= 110.0
    assert scale.place(value) <= scale.place(value + span)


@given(low=FINITE, span=st.floats(1e-3, 1e3))
def test_ticks_are_round_few_and_inside(low: float, span: float) -> None:
    scale = Scale(low, low + span, 0.0, 1.0)
    ticks = scale.ticks(6)
    assert len(ticks) <= 8
    assert all(low - 1e-6 * span - 1e-9 <= tick <= low + span + 1e-6 * span + 1e-9 for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_the_outcomes_differ_without_colour() -> None:
    drawn = {outcome: str(outcome_mark(outcome, 0, 0)) for outcome in Outcome}
    assert len(set(drawn.values())) == len(Outcome)
    assert "circle" in drawn[Outcome.NOT_EVALUATED]
    assert drawn[Outcome.FAIL].count("path") == 2 * drawn[Outcome.PASS].count("path")


def test_an_end_beyond_the_scale_is_an_arrow_and_not_a_stop() -> None:
    scale = Scale(0.0, 1.0, 0.0, 100.0)
    inside, beyond = (str(interval("new", scale, 5, 0.2, high)) for high in (0.8, 1.8))
    assert (inside.count("stop"), inside.count("arrow")) == (2, 0)
    assert (beyond.count("stop"), beyond.count("arrow")) == (1, 1)
    assert str(interval("new", scale, 5, None, 0.8)).count("arrow") == 1
