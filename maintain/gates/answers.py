"""What one set of weights answered for exactly the planned cases of a role.

Every gate that judges answers reads them here: a case without an answer, one too many, another label than the
plan's or another number of classes is never judged around. Answers come in the plan's order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence
from maintain.gates.consumption import counted
from maintain.hashing import Digest
from maintain.records import Measurement, PlannedCase
from maintain.statistics import decisions, log_odds
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.vocabulary import Head, Role

#: What a role is called where its cases are missing.
PLACES: Mapping[Role, str] = {
    Role.HOLDOUT: "holdout",
    Role.FORGET: "forget set",
    Role.NEVER_SEEN: "never-seen group",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Cases, their labels as class numbers, and the logits (cases, classes) of one set of weights."""

    cases: tuple[PlannedCase, ...]
    labels: IntArray
    logits: FloatArray

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient of each case."""
        return tuple(case.patient for case in self.cases)

    def decided(self) -> IntArray:
        """The class each case is given. Raises `NotEvaluatedError` where an output is NaN or infinite."""
        self._check_finite()
        return decisions(self.logits)

    def right(self) -> FloatArray:
        """1 where the case is given its label, else 0. Raises as `decided`."""
        right: FloatArray = (self.decided() == self.labels).astype(np.float64)
        return right

    def margins(self) -> FloatArray:
        """The log odds of the case's own label, log p - log(1 - p) without p itself. Raises as `decided`."""
        self._check_finite()
        own: FloatArray = log_odds(self.logits)[np.arange(len(self.labels)), self.labels]
        return own

    def among(self, kept: NDArray[np.bool_]) -> Answers:
        """The answers for a part of the cases."""
        cases = tuple(case for case, keep in zip(self.cases, kept, strict=True) if keep)
        return Answers(cases, self.labels[kept], self.logits[kept])

    def _check_finite(self) -> None:
        if not np.isfinite(self.logits).all():
            raise NotEvaluatedError(
                "Some scores are NaN or infinite.", remedy="Measure again with weights that are finite."
            )


def answers_of(evidence: Evidence, weights: Digest, role: Role) -> Answers:
    """The answers of these weights for every case that has the role, by the plan's labels.

    Raises `NotEvaluatedError` unless each was measured once, labelled as planned, and nothing else was.
    """
    spec, planned = evidence.candidate_spec, evidence.roles.of(role)
    if spec.head is not Head.SOFTMAX:
        raise NotEvaluatedError(
            f"Answers of a {spec.head} head cannot be judged by this version.",
            remedy="Use a softmax head, or wait for the version that supports it.",
        )
    classes = {label: number for number, label in enumerate(spec.label_order)}
    rows = _rows(evidence, weights, role, planned, len(classes))
    labels = [classes.get(case.label, -1) for case in planned]
    wrong = sum(not _labelled(row, label) for row, label in zip(rows, labels, strict=True))
    if wrong:
        raise NotEvaluatedError(
            f"{counted(wrong, 'measurement')} of the {PLACES[role]} have another label than the plan.",
            remedy="Measure again from the plan's role table.",
        )
    return Answers(
        cases=planned,
        labels=np.asarray(labels, dtype=np.int64),
        logits=np.asarray([row.logits for row in rows], dtype=np.float64),
    )


def unusable(evidence: Evidence, *roles: Role, weights: Digest | None = None) -> list[str]:
    """What no number can mend: the champion's own weights, and answers of the candidate that are no numbers.

    `weights` are those whose answers are judged, if not the candidate's own.
    """
    candidate, champion = evidence.candidate.weights, evidence.plan.champion.weights
    reasons = []
    if champion in (candidate, evidence.weights.candidate):
        reasons.append("the candidate's weights are the champion's, so it keeps everything and forgot nothing")
    rows = evidence.measurements.of(weights or candidate, *roles)
    if broken := sum(not all(map(math.isfinite, row.logits)) for row in rows):
        reasons.append(f"the candidate answers {counted(broken, 'case')} with NaN or infinity")
    return reasons


# --- private ---------------------------------------------------------------------------------------


def _rows(
    evidence: Evidence, weights: Digest, role: Role, planned: tuple[PlannedCase, ...], classes: int
) -> list[Measurement]:
    """One row a planned case, in the plan's order."""
    rows = evidence.measurements.of(weights, role)
    answers = {row.case_id: row for row in rows}
    wanted = [case.case_id for case in planned]
    place = PLACES[role]
    problems = [
        f"{counted(count, 'case')} {what}"
        for count, what in (
            (len(set(wanted) - set(answers)), f"of the {place} without a measurement"),
            (len(set(answers) - set(wanted)), "measured that the plan does not hold there"),
            (len(rows) - len(answers), "measured twice"),
            (sum(len(row.logits) != classes for row in rows), "answered for another number of classes"),
            (0 if planned else 1, "at least must be there: the plan has none"),
        )
        if count
    ]
    if problems:
        raise NotEvaluatedError(
            f"The {_who(evidence, weights)} was not measured on the whole {place}: {', '.join(problems)}.",
            remedy=f"Run the verify stage again; a part of the {place} is never judged alone.",
        )
    return [answers[case_id] for case_id in wanted]


def _labelled(row: Measurement, label: int) -> bool:
    return label >= 0 and row.label == (label,) and all(row.label_mask)


def _who(evidence: Evidence, weights: Digest) -> str:
    known = {check.weights: "reference" for check in evidence.references}
    if evidence.first is not None:
        known[evidence.first] = "lineage's first version"
    if evidence.recalibrated is not None:
        known[evidence.recalibrated] = "recalibrated candidate"
    known[evidence.candidate.weights] = "candidate"
    known[evidence.plan.champion.weights] = "champion"
    return known.get(weights, "model")
