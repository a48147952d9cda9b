"""What a screen is given, and what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from maintain.imaging import State
from maintain.records import Difficulty, Figure, Measurement, Plan, PlannedCase, RoleTable
from maintain.vocabulary import Role

#: Answers of weights for the cases of some roles; cases of a label that the model does not know are left out.
Ask: TypeAlias = Callable[[State, tuple[Role, ...]], tuple[Measurement, ...]]

#: How difficult cases are; None where nothing can be said.
Difficult: TypeAlias = Callable[[Sequence[PlannedCase]], Difficulty | None]


#: The weights with batch statistics made anew from retained cases; None where they keep none.
Recalibrate: TypeAlias = Callable[[State], State | None]


@dataclass(frozen=True, slots=True)
class Contest:
    """A candidate, the champion that it revises, the references of a group, and how they are asked.

    What a candidate's batch statistics hide must not decide, so it is asked again with `recalibrate` of them.
    """

    plan: Plan
    roles: RoleTable
    ask: Ask
    champion: State
    candidate: State
    references: tuple[State, ...] = ()
    difficulty: Difficult = lambda _: None
    recalibrate: Recalibrate = lambda _: None


@dataclass(frozen=True, slots=True)
class Screened:
    """Whether a candidate goes on, why, and the figures that said so.

    `score` says how far it is from what was asked, zero at best: checkpoints of one method are compared by it.
    """

    passed: bool
    reason: str
    figures: tuple[Figure, ...] = ()
    score: float = math.inf


def left(reason: str, *figures: Figure, score: float = math.inf) -> Screened:
    """A method that does not go on."""
    return Screened(False, reason, figures, score)


def beyond(value: float, slack: float) -> float:
    """How much of a value lies beyond what is noise."""
    return max(0.0, value - slack)


def together(found: Sequence[Screened]) -> Screened:
    """All of it: every reason that leaves the method or, where there is none, what was seen."""
    passed = all(one.passed for one in found)
    reasons = " ".join(one.reason for one in found if passed or not one.passed)
    figures = tuple(figure for one in found for figure in one.figures)
    return Screened(passed, reasons, figures, sum(one.score for one in found))


def limit_of(plan: Plan, gate: str, option: str, *, default: float) -> float:
    """The plan's own limit of a gate, or the default where the plan does not ask for the gate."""
    for request in plan.gates:
        for setting in request.options if request.name == gate else ():
            if setting.name == option:
                return float(setting.value)
    return default


def decided(row: Measurement) -> int:
    """The place of the label that the weights give this case."""
    return row.logits.index(max(row.logits))


def accuracy(rows: Sequence[Measurement]) -> float:
    """Share decided as labelled; a label that the model does not know is never decided right."""
    return sum(decided(row) == row.label[0] for row in rows) / len(rows)


def figure(name: str, value: float, rows: Sequence[Measurement], *, limit: float | None = None) -> Figure:
    """A point estimate with the cases and patients that it rests on."""
    found = Figure(name, value, cases=len(rows), patients=len({row.patient for row in rows}))
    return found if limit is None else replace(found, limit=limit)
