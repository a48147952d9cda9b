"""The gate `retention`: does the candidate still work?

Non-inferiority to the champion on holdout cases outside the forget group, paired by case and
clustered by patient (DESIGN §7). It is a floor, never a ranking: a model that barely changed wins
every ranking by retention, and has forgotten nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from maintain.gates import reported
from maintain.gates.answers import answers_of, unusable
from maintain.gates.base import Evidence, judged, listed, number
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import Metric, PairedDifference, log_odds, paired_bound, softmax_scored
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.vocabulary import Outcome, Role

#: Levels are sums of shares, so they are compared with this much room for rounding.
ROUNDING = 1e-9

#: Beyond this factor of precision (its square in cases) a number of cases is no advice any more.
MOST_TIMES_MORE = 30.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Accuracy, balanced accuracy and AUROC of the candidate against the champion's."""

    request: GateRequest
    name: ClassVar[str] = "retention"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS when every loss is shown below the margin, FAIL when one is shown above it.

        Raises `NotEvaluatedError` when the holdout was not measured whole, or a metric does not exist.
        """
        refused = _refused(self.request, evidence)
        if refused:
            return judged(self.request, Outcome.FAIL, listed(refused))
        return self._judge(_pairs(evidence), evidence.slot.alpha)

    def explain(self, result: GateResult) -> str:
        """The three differences with their bounds, in points, and what is reported beside them."""
        told = [_told(figure) for figure in result.figures if figure.limit is not None]
        beside = [reported.told(figure) for figure in result.figures if figure.limit is None]
        ends = {
            Outcome.PASS: "Each loss is shown to be smaller than the margin.",
            Outcome.FAIL: f"The candidate is shown to be worse, or cannot be used: {result.reason}",
            Outcome.NOT_EVALUATED: f"Neither is shown: {result.reason}",
        }
        also = [f"Reported, not decisive: {listed(beside)}"] if beside else []
        return " ".join([*told, ends[result.outcome], *also])

    def _judge(self, pairs: _Pairs, alpha: float) -> GateResult:
        margin = number(self.request, "margin")
        bounds = {metric: pairs.bound(metric, alpha) for metric in Metric}
        beside, missing = pairs.beside(alpha)
        figures = (*(_figure(metric, bound, -margin) for metric, bound in bounds.items()), *beside)
        outcome, reason = _outcome(bounds, margin)
        return judged(self.request, outcome, " ".join([reason, *pairs.notes, *missing]), figures)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The same cases, answered by both models; `classes` are those that means over classes go over."""

    labels: IntArray
    champion: FloatArray
    candidate: FloatArray
    patients: tuple[str, ...]
    classes: tuple[int, ...]
    notes: tuple[str, ...]

    def bound(self, metric: Metric, alpha: float) -> PairedDifference:
        """The candidate's difference to the champion in one metric."""
        ordered = metric is Metric.AUROC
        return paired_bound(
            metric,
            labels=self.labels,
            before=log_odds(self.champion) if ordered else self.champion,
            after=log_odds(self.candidate) if ordered else self.candidate,
            patients=self.patients,
            alpha=alpha,
            classes=self.classes,
        )

    def beside(self, alpha: float) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
        """What is reported without a margin, and a sentence on each figure that does not exist."""
        before, after = (
            softmax_scored(self.labels, logits, classes=self.classes) for logits in (self.champion, self.candidate)
        )
        figures, missing = reported.reported(before, after, self.patients, alpha=alpha)
        return figures, tuple(f"Not reported: {why}" for why in missing)


def _outcome(bounds: Mapping[Metric, PairedDifference], margin: float) -> tuple[Outcome, str]:
    lost = [metric for metric, bound in bounds.items() if bound.high < -margin]
    if lost:
        return Outcome.FAIL, f"Shown to lose more than {margin:g}: {', '.join(lost)}."
    unsure = {metric: bound for metric, bound in bounds.items() if not bound.low > -margin}
    if unsure:
        return Outcome.NOT_EVALUATED, _needs(unsure, margin)
    return Outcome.PASS, f"Every metric is shown to lose less than {margin:g}."


def _refused(request: GateRequest, evidence: Evidence) -> list[str]:
    """What no number can mend."""
    reasons = unusable(evidence, Role.HOLDOUT)
    spent = sum(slot.alpha for slot in evidence.plan.slots)
    if spent > number(request, "alpha") + ROUNDING or not evidence.slot.alpha > 0.0:
        reasons.append("the plan's slots do not share the level that the gate allows")
    return reasons


def _pairs(evidence: Evidence) -> _Pairs:
    """Both models' answers for exactly the planned holdout, in the plan's order, by the plan's labels."""
    champion, candidate = (
        answers_of(evidence, weights, Role.HOLDOUT)
        for weights in (evidence.plan.champion.weights, evidence.candidate.weights)
    )
    absent = _withdrawn(evidence)
    order = evidence.candidate_spec.label_order
    return _Pairs(
        labels=champion.labels,
        champion=champion.logits,
        candidate=candidate.logits,
        patients=champion.patients,
        classes=tuple(number for number, label in enumerate(order) if label not in absent),
        notes=tuple(f"Left out of means over labels, for no case held out or retained has it: {a}." for a in absent),
    )


def _withdrawn(evidence: Evidence) -> tuple[str, ...]:
    """Labels that are wholly forgotten: the holdout has no case of them, and neither has what is retained."""
    kept = {row.label for row in evidence.roles.of(Role.HOLDOUT, Role.RETAIN)}
    return tuple(label for label in evidence.candidate_spec.label_order if label not in kept)


def _figure(metric: Metric, bound: PairedDifference, limit: float) -> Figure:
    return Figure(
        name=f"{metric} difference",
        value=bound.estimate,
        low=bound.low,
        high=bound.high,
        limit=limit,
        cases=bound.cases,
        patients=bound.patients,
    )


def _needs(unsure: Mapping[Metric, PairedDifference], margin: float) -> str:
    """Which metrics are open, and roughly how many cases would settle them if nothing else changed."""
    said = []
    for metric, bound in unsure.items():
        distance = abs(bound.estimate + margin)
        reach = bound.estimate - bound.low if bound.estimate > -margin else bound.high - bound.estimate
        if distance * MOST_TIMES_MORE < reach:
            said.append(f"{metric} lies at the margin, where more cases settle nothing")
        else:
            needed = math.ceil(bound.cases * (reach / distance) ** 2)
            said.append(f"{metric} would need about {needed} holdout cases, not {bound.cases}")
    return listed(said)


def _told(figure: Figure) -> str:
    low = figure.low if figure.low is not None else math.nan
    return (
        f"{figure.name}: {100 * figure.value:+.1f} points (at worst {100 * low:+.1f}) on"
        f" {figure.cases} cases of {figure.patients} patients."
    )
