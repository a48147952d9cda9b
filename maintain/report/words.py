"""Numbers and outcomes as words, alike in every edition."""

from __future__ import annotations

import re

from maintain.report.shown import Estimate
from maintain.vocabulary import Outcome

#: What each outcome is called.
OUTCOMES = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.NOT_EVALUATED: "NOT EVALUATED"}

#: What stands where nobody noted a number.
NOT_NOTED = "not noted"

#: What stands where a number could not exist.
NONE = "\N{EN DASH}"

#: Where a sentence ends and another begins.
_NEXT_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z])")


def first_sentence(said: str) -> str:
    """What stands before the second sentence; all of it where there is none."""
    return _NEXT_SENTENCE.split(said, maxsplit=1)[0]


def told(estimate: Estimate) -> str:
    """An estimate with its interval."""
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def range_told(estimate: Estimate) -> str:
    """An interval alone."""
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def counted(number: int | float | None, unit: str = "") -> str:
    """A number with thin spaces between thousands, or that nobody noted it."""
    if number is None:
        return NOT_NOTED
    return f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}") + unit


def signed(value: float) -> str:
    """Three decimals with a sign, a true minus."""
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}")


def plain(value: float) -> str:
    """A count as a count, anything else with three decimals."""
    return (f"{value:.0f}" if value == round(value) else f"{value:.3f}").replace("-", "\N{MINUS SIGN}")
