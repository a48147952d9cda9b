"""The same cases, answered by an earlier model and by the candidate.

Retention asks one set of pairs after another: against the champion, against the lineage's first version, in
declared groups. A pair is made of the plan's cases and labels alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import answers_of
from maintain.gates.base import Evidence
from maintain.hashing import Digest
from maintain.records import PlannedCase
from maintain.statistics import Metric, PairedDifference, Scored, log_odds, paired_bound, softmax_scored
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cases with both models' logits; `classes` are those that means over classes go over."""

    cases: tuple[PlannedCase, ...]
    labels: IntArray
    before: FloatArray
    after: FloatArray
    classes: tuple[int, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient of each case."""
        return tuple(case.patient for case in self.cases)

    def difference(self, metric: Metric, alpha: float) -> PairedDifference:
        """The candidate's difference in one metric. Raises `NotEvaluatedError` where the metric does not exist."""
        ordered = metric is Metric.AUROC
        return paired_bound(
            metric,
            labels=self.labels,
            before=log_odds(self.before) if ordered else self.before,
            after=log_odds(self.after) if ordered else self.after,
            patients=self.patients,
            alpha=alpha,
            classes=self.classes,
        )

    def scored(self) -> tuple[Scored, Scored]:
        """Both models' answers as every other figure reads them."""
        before, after = (
            softmax_scored(self.labels, logits, classes=self.classes) for logits in (self.before, self.after)
        )
        return before, after

    def among(self, kept: NDArray[np.bool_]) -> Pairs:
        """A part of the cases; labels count as they did."""
        cases = tuple(case for case, keep in zip(self.cases, kept, strict=True) if keep)
        return replace(self, cases=cases, labels=self.labels[kept], before=self.before[kept], after=self.after[kept])


def pairs_of(evidence: Evidence, before: Digest, roles: tuple[Role, ...]) -> Pairs:
    """What these weights and the candidate answered for exactly the planned cases of the roles.

    Raises `NotEvaluatedError` unless both were measured whole, labelled as planned, with finite answers.
    """
    first = [answers_of(evidence, before, role) for role in roles]
    second = [answers_of(evidence, evidence.candidate.weights, role) for role in roles]
    pairs = Pairs(
        cases=tuple(case for answers in first for case in answers.cases),
        labels=np.concatenate([answers.labels for answers in first]),
        before=np.concatenate([answers.logits for answers in first]),
        after=np.concatenate([answers.logits for answers in second]),
        classes=_counted(evidence, roles),
    )
    if not (np.isfinite(pairs.before).all() and np.isfinite(pairs.after).all()):
        raise NotEvaluatedError(
            "Some scores are NaN or infinite.", remedy="Measure again with weights that are finite."
        )
    return pairs


def left_out(evidence: Evidence, roles: tuple[Role, ...]) -> tuple[str, ...]:
    """Labels that are wholly forgotten: no judged case has them, and neither has what is retained."""
    kept = {row.label for row in evidence.roles.of(Role.HOLDOUT, Role.RETAIN, *roles)}
    return tuple(label for label in evidence.candidate_spec.label_order if label not in kept)


# --- private ---------------------------------------------------------------------------------------


def _counted(evidence: Evidence, roles: tuple[Role, ...]) -> tuple[int, ...]:
    absent = left_out(evidence, roles)
    order = evidence.candidate_spec.label_order
    return tuple(number for number, label in enumerate(order) if label not in absent)
