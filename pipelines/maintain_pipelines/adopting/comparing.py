"""Whether the adopted model answers what production answered: the one check that sees all mistakes at once.

A wrong preprocessing, a wrong order of labels or the wrong file of weights still answers, and often well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maintain.errors import InputError
from maintain.intake import OutputRow

#: How far two probabilities may lie apart: float32 on two machines differs by 1e-6, exports of three decimals by 5e-4.
TOLERANCE = 1e-3

#: Cases that must be compared at least: a few agree by chance where a model is nearly always sure.
FEWEST_COMPARED = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """How many cases were compared, the worst difference of a probability, and how many rows had no case here."""

    cases: int
    worst: float
    tolerance: float
    without_case: int


def comparable(expected: Sequence[OutputRow], known: Mapping[str, object]) -> tuple[OutputRow, ...]:
    """The rows of cases that the cohort has, sorted. Raises `InputError` where they are too few."""
    rows = tuple(sorted((row for row in expected if row.case_id in known), key=lambda row: row.case_id))
    if len(rows) < FEWEST_COMPARED:
        raise InputError(
            f"Of {len(expected)} rows of expected outputs, {len(rows)} are of cases in the cohort; "
            f"{FEWEST_COMPARED} are needed.",
            remedy="Ingest the images that production answered about, or export outputs of those that are here.",
        )
    return rows


def compare(
    rows: Sequence[OutputRow],
    logits: Sequence[Sequence[float]],
    labels: Sequence[str],
    *,
    tolerance: float,
    without_case: int,
    rounding: float = 0.0,
) -> Compared:
    """How far the answers lie apart. Raises `InputError` with the worst difference where that is too far."""
    answers = [softmax(row) for row in logits]
    apart = [_apart(row.probabilities, answer) for row, answer in zip(rows, answers, strict=True)]
    worst = max(apart)
    if worst <= tolerance:
        return Compared(len(rows), worst, tolerance, without_case)
    off = sum(one > tolerance for one in apart)
    raise InputError(
        f"The model does not answer what production answered: {off} of {len(rows)} cases differ by more than "
        f"{tolerance:g}, the worst by {worst:.3f}.",
        remedy=_guess(rows, answers, labels, tolerance) + (_ROUNDED if rounding else ""),
    )


def softmax(logits: Sequence[float]) -> tuple[float, ...]:
    """exp(x) / sum exp(x), taken from the largest."""
    highest = max(logits)
    weights = [math.exp(one - highest) for one in logits]
    return tuple(one / sum(weights) for one in weights)


# --- private ---------------------------------------------------------------------------------------

_CAUSES = (
    "Usual causes: preprocessing (range, mean and divisor, how it resizes, rows and columns exchanged), "
    "the order of --labels, weights of another epoch, or a cohort whose pixels were stored otherwise."
)

_ROUNDED = (
    " Arrays of floats are stored in 8 bits, which moves probabilities by a few thousandths: if no cause above fits, "
    "raise --tolerance to what that is worth, or give --preprocessing instead."
)


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _guess(
    rows: Sequence[OutputRow], answers: Sequence[Sequence[float]], labels: Sequence[str], tolerance: float
) -> str:
    """The labels in another order, where that explains everything; else the usual causes."""
    places = range(len(labels))
    given = list(zip(*(row.probabilities for row in rows), strict=True))
    answered = list(zip(*answers, strict=True))
    nearest = [min(places, key=lambda place: _apart(given[place], column)) for column in answered]
    if sorted(nearest) == list(places):
        ordered = [[row.probabilities[place] for place in nearest] for row in rows]
        if max(_apart(one, answer) for one, answer in zip(ordered, answers, strict=True)) <= tolerance:
            return f"The outputs agree in another order: say --labels NAME={','.join(labels[at] for at in nearest)}"
    return _CAUSES
