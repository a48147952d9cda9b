"""The two arms of a comparison at equal difficulty: forgotten cases, and never-seen ones of the group.

The never-seen arm is weighted to the forget arm's labels, difficulty is what a proxy says that knows
retained cases only, and arms that still differ in it are not compared. Power study, sections 3 to 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence
from maintain.gates.consumption import counted
from maintain.gates.sides import Planned, Sides, check_size, of_same_labels, sides_of, told_size, visible_leak_told
from maintain.hashing import Digest
from maintain.records import CaseDifficulty, Figure, PlannedCase
from maintain.statistics import Arm, effective_size, standard_weights, standardised_difference
from maintain.statistics.metrics import FloatArray
from maintain.statistics.power import FEWEST_CASES

#: From so many patients in both arms difficulty has four kinds of columns, below it one: power.md §4.
PATIENTS_FOR_ALL_COLUMNS = 50

#: The most that the arms may still differ in difficulty or looks, in standard deviations: power.md §6, row 6.
LARGEST_IMBALANCE = 0.25

#: Where the proxy's log-probability stands among the covariates.
LOG_PROBABILITY = 0

#: Limits of a decision that is right or not.
DECISION = (0.0, 1.0)

#: What the arms must be alike in, as the balance table names it.
_LOOKS: Mapping[str, Callable[[CaseDifficulty], float]] = {
    "difficulty": lambda row: row.log_probability,
    "brightness": lambda row: row.brightness,
    "contrast": lambda row: row.contrast,
}


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms with their covariates and weights: any weights can be asked on them.

    `unbalanced` says in what the arms differ too much to be compared; nothing where they do not.
    """

    sides: Sides
    covariates: tuple[FloatArray, FloatArray]
    weights: FloatArray
    balance: tuple[Figure, ...]
    unbalanced: str

    def right(self, evidence: Evidence, weights: Digest) -> tuple[Arm, Arm]:
        """Whether each case is given its label."""
        first, second = self.sides.ask(evidence, weights)
        return self.of((first.right(), second.right()), DECISION)

    def margins(self, evidence: Evidence, weights: Digest) -> tuple[Arm, Arm]:
        """How surely each case is given its label."""
        first, second = self.sides.ask(evidence, weights)
        values = first.margins(), second.margins()
        together = np.concatenate(values)
        return self.of(values, (float(together.min()), float(together.max())))

    def of(self, values: tuple[FloatArray, FloatArray], limits: tuple[float, float]) -> tuple[Arm, Arm]:
        """The arms with any values of their cases."""
        sides = self.sides
        first = Arm(
            values=values[0],
            patients=tuple(case.patient for case in sides.forget_cases),
            covariates=self.covariates[0],
            weights=np.ones(len(values[0])),
            limits=limits,
        )
        return first, Arm(
            values=values[1],
            patients=tuple(case.patient for case in sides.never_seen_cases),
            covariates=self.covariates[1],
            weights=self.weights,
            limits=limits,
        )

    def figures(self) -> tuple[Figure, ...]:
        """Sizes, effective size, and the balance table."""
        effective = Figure("never-seen cases, as the weighted ones count", effective_size(self.weights))
        return (*self.sides.figures(), effective, *self.balance)


def arms_of(evidence: Evidence, planned: Planned, *, margin: float) -> Arms:
    """Both arms with difficulty and weights, large enough to be judged.

    Raises `NotEvaluatedError` with the smallest leak that could have been seen where they are not, and where
    difficulty is not known of every case.
    """
    sides = of_same_labels(sides_of(evidence))
    check_size(sides, planned, margin=margin)
    rows = _difficulty(evidence, sides)
    weights = standard_weights(*(_labels(cases) for cases in (sides.forget_cases, sides.never_seen_cases)))
    _check_effective(sides, weights, planned, margin)
    balance, unbalanced = _balance(sides, rows, weights)
    return Arms(sides, _covariates(evidence, sides, rows), weights, balance, unbalanced)


# --- private ---------------------------------------------------------------------------------------


def _labels(cases: tuple[PlannedCase, ...]) -> list[str]:
    return [case.label for case in cases]


def _check_effective(sides: Sides, weights: FloatArray, planned: Planned, margin: float) -> None:
    size = effective_size(weights)
    if size < FEWEST_CASES:
        raise NotEvaluatedError(
            f"Weighted to the labels of the forgotten cases, {told_size(sides.sizes()[1])} that were never seen count"
            f" as {size:.0f}; {FEWEST_CASES} are needed. {visible_leak_told(sides, planned, margin=margin)}",
            remedy="Bring in never-seen cases of the labels that were forgotten, or let the search go on to a retrain.",
        )


def _difficulty(evidence: Evidence, sides: Sides) -> tuple[tuple[CaseDifficulty, ...], tuple[CaseDifficulty, ...]]:
    """What the proxy says of every case of either arm."""
    table = evidence.difficulty
    if table is None:
        raise NotEvaluatedError(
            "How difficult the cases are was not measured, and without that hard cases look like forgotten ones.",
            remedy="Run the verify stage again; it fits a proxy on retained cases.",
        )
    known = {row.case_id: row for row in table.rows}
    arms = [[known.get(case.case_id) for case in cases] for cases in (sides.forget_cases, sides.never_seen_cases)]
    missing = sum(row is None for rows in arms for row in rows)
    broken = sum(row is not None and not np.isfinite(_numbers(row)).all() for rows in arms for row in rows)
    doubled = len(table.rows) - len(known)
    if missing or broken or doubled:
        raise NotEvaluatedError(
            f"The difficulty of {counted(missing, 'case')} is missing, of {broken} no number, and {doubled} are listed"
            " twice.",
            remedy="Run the verify stage again; a part of an arm is never judged alone.",
        )
    first, second = (tuple(row for row in rows if row is not None) for rows in arms)
    return first, second


def _numbers(row: CaseDifficulty) -> tuple[float, ...]:
    return row.log_probability, row.probability, row.brightness, row.contrast


def _covariates(
    evidence: Evidence, sides: Sides, rows: tuple[tuple[CaseDifficulty, ...], tuple[CaseDifficulty, ...]]
) -> tuple[FloatArray, FloatArray]:
    """Four kinds of columns from 50 patients on: the proxy's log-probability, probability and decision, and labels."""
    whole = min(size.patients for size in sides.sizes()) >= PATIENTS_FOR_ALL_COLUMNS
    present = {case.label for case in sides.forget_cases}
    others = [label for label in evidence.candidate_spec.label_order if label in present][1:] if whole else []
    first, second = (
        np.asarray(
            [
                (
                    row.log_probability,
                    *((row.probability, float(row.right)) if whole else ()),
                    *(float(case.label == label) for label in others),
                )
                for case, row in zip(cases, arm, strict=True)
            ],
            dtype=np.float64,
        )
        for cases, arm in zip((sides.forget_cases, sides.never_seen_cases), rows, strict=True)
    )
    return first, second


def _balance(
    sides: Sides, rows: tuple[tuple[CaseDifficulty, ...], tuple[CaseDifficulty, ...]], weights: FloatArray
) -> tuple[tuple[Figure, ...], str]:
    """The table, and what in it keeps the arms from being compared."""
    ours, theirs = rows
    mix = _mix(*(_labels(cases) for cases in (sides.forget_cases, sides.never_seen_cases)))
    looks = tuple(
        Figure(f"balance of {name}", standardised_difference(*values, weights), limit=LARGEST_IMBALANCE)
        for name, values in ((name, (_read(ours, read), _read(theirs, read))) for name, read in _LOOKS.items())
    )
    apart = [figure for figure in looks if not abs(figure.value) <= LARGEST_IMBALANCE]
    if not apart:
        return (*mix, *looks), ""
    named = ", ".join(f"{figure.name.removeprefix('balance of ')} ({figure.value:+.2f})" for figure in apart)
    return (*mix, *looks), (
        f"Forgotten and never-seen cases are not alike in {named}: more than {LARGEST_IMBALANCE:g} standard deviations"
        " apart, so a difference in answers would not be one of memory."
    )


def _read(rows: tuple[CaseDifficulty, ...], read: Callable[[CaseDifficulty], float]) -> FloatArray:
    return np.asarray([read(row) for row in rows], dtype=np.float64)


def _mix(first: list[str], second: list[str]) -> tuple[Figure, ...]:
    """How far each label's share differs, in standard deviations, before it is weighted away."""
    figures = []
    for label in sorted(set(first)):
        shares = [np.asarray([one == label for one in labels], dtype=np.float64) for labels in (first, second)]
        apart = standardised_difference(shares[0], shares[1], np.ones(len(second)))
        figures.append(Figure(f"balance of label {label}, before weighting", apart))
    return tuple(figures)
