"""The gate `reference`: on the group, is the candidate right as often as models that never saw it?

The yardstick is the mean of three retrains. An arm counts only where the champion itself is shown to differ from
that mean, because elsewhere nobody could fail. Feasibility study, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import answers_of, unusable
from maintain.gates.base import Evidence, number
from maintain.gates.finding import NOTHING_TO_FORGET, Finding, explained, figure_of, inside
from maintain.gates.sides import Sides, check_size, visible_leak, whole_sides
from maintain.gates.yardstick import Yardstick, yardstick_of
from maintain.hashing import Digest
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import BEHAVIOUR_ALPHA, ArmSize, Bound, Power, mean_bound, mean_bound_power
from maintain.statistics.metrics import FloatArray
from maintain.vocabulary import Role

#: The arms as they are told.
ARMS = ("forgotten", "never-seen")


@dataclass(frozen=True, slots=True)
class Reference:
    """Correctness on forgotten and never-seen cases, less the mean of the references'."""

    request: GateRequest
    name: ClassVar[str] = "reference"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS within the margin in every arm that counts; FAIL shown outside in any, or by a false yardstick.

        Raises `NotEvaluatedError` below three references, in arms too small, and where cases were not measured.
        """
        margin, spread = number(self.request, "margin"), number(self.request, "spread")
        found = reference_finding(evidence, evidence.candidate.weights, margin=margin, spread=spread)
        return found.result(self.request, *_side_by_side(evidence))

    def explain(self, result: GateResult) -> str:
        """What the yardstick is, and how the candidate stands beside it."""
        asked = (
            "Asked: on images of the withdrawn group, is the revised model right as often as three models that were"
            " trained without the group? (0 is no difference to their mean.)"
        )
        return explained(
            asked,
            result,
            passed="It is, so it behaves like a model that never learned from the group:",
            failed="It is not, or cannot be compared:",
        )


def reference_finding(evidence: Evidence, weights: Digest, *, margin: float, spread: float) -> Finding:
    """How these weights stand beside the references. Raises as `Reference.measure`."""
    if refused := unusable(evidence, Role.FORGET, Role.NEVER_SEEN, weights=weights):
        return Finding(tuple(refused), (), "")
    yardstick = yardstick_of(evidence)
    if yardstick.false or yardstick.unproven:
        return Finding(yardstick.false, yardstick.unproven, "")
    sides = whole_sides(evidence)
    check_size(sides, _planned, margin=margin)
    arms = _compared(evidence, sides, weights, yardstick)
    failed: list[str] = []
    unshown: list[str] = []
    for place, arm in enumerate(arms):
        against, open_ends = arm.judged(margin, spread, forgotten=place == 0)
        failed += against
        unshown += open_ends
    figures = tuple(figure for arm in arms for figure in arm.figures(margin, spread))
    told = "and".join(f" {arm.name} " for arm in arms if arm.counts(margin))
    return Finding(
        tuple(failed),
        tuple(unshown),
        f"Shown within {margin:g} of the mean of the references on{told}cases.",
        (*figures, *visible_leak(sides, _planned, margin=margin), *sides.figures()),
    )


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compared:
    """One arm: the champion and the candidate less the mean of the references, and how these spread."""

    name: str
    champion: Bound
    candidate: Bound
    accuracies: tuple[float, ...]

    def counts(self, margin: float) -> bool:
        """Whether the champion is shown outside, so that a candidate could fail here."""
        return self.champion.low > margin or self.champion.high < -margin

    def spread(self) -> float:
        """Between the best and the worst reference."""
        return max(self.accuracies) - min(self.accuracies)

    def judged(self, margin: float, spread: float, *, forgotten: bool) -> tuple[list[str], list[str]]:
        """(outside, open) in this arm. Where the references disagree there is no yardstick for either."""
        if self.spread() > spread:
            reason = f"the references themselves differ by {self.spread():.3f} on {self.name} cases, above {spread:g}"
            return [], [reason] if self.counts(margin) or forgotten else []
        outside, unshown = inside(f"the difference on {self.name} cases", self.candidate, 0.0, margin)
        if outside:
            return [outside], []
        if self.counts(margin):
            return [], [unshown] if unshown else []
        if forgotten:
            return [], [f"{NOTHING_TO_FORGET}: the champion may answer as the references do on {self.name} cases"]
        return [], []

    def figures(self, margin: float, spread: float) -> tuple[Figure, ...]:
        cases, patients = self.candidate.cases, self.candidate.patients
        return (
            figure_of(f"champion less references, {self.name}", self.champion, cases=cases, patients=patients),
            figure_of(
                f"candidate less references, {self.name}",
                self.candidate,
                limit=margin,
                cases=cases,
                patients=patients,
            ),
            Figure(f"spread of the references, {self.name}", self.spread(), limit=spread),
        )


def _compared(evidence: Evidence, sides: Sides, weights: Digest, yardstick: Yardstick) -> tuple[_Compared, ...]:
    champion, candidate, *references = (
        sides.ask(evidence, asked) for asked in (evidence.plan.champion.weights, weights, *yardstick.weights)
    )
    arms = []
    for place, name in enumerate(ARMS):
        patients = champion[place].patients
        right = [model[place].right() for model in references]
        mean = np.mean(right, axis=0)
        before, after = (
            mean_bound(model[place].right() - mean, patients, alpha=BEHAVIOUR_ALPHA) for model in (champion, candidate)
        )
        arms.append(_Compared(name, before, after, tuple(float(one.mean()) for one in right)))
    return tuple(arms)


def _planned(first: ArmSize, second: ArmSize, /, *, margin: float) -> Power:
    """Of the two arms the one that shows less."""
    return min((mean_bound_power(arm, margin=margin) for arm in (first, second)), key=lambda power: power.chance)


def _side_by_side(evidence: Evidence) -> tuple[Figure, ...]:
    """What releasing a reference instead would mean: retained accuracy, decisions changed, cost."""
    champion, candidate = evidence.plan.champion.weights, evidence.candidate.weights
    steps = [float(check.log.steps) for check in evidence.references]
    cost = (
        Figure("training steps, candidate", float(evidence.log.steps)),
        *((Figure("training steps, mean of the references", float(np.mean(steps))),) if steps else ()),
    )
    try:
        answered = {
            weights: answers_of(evidence, weights, Role.HOLDOUT)
            for weights in (champion, candidate, *(check.weights for check in evidence.references))
        }
        right = {weights: answers.right() for weights, answers in answered.items()}
        decided = {weights: answers.decided() for weights, answers in answered.items()}
    except NotEvaluatedError:
        return cost
    others = [check.weights for check in evidence.references]
    return (
        Figure("retained accuracy, champion", float(right[champion].mean())),
        Figure("retained accuracy, candidate", float(right[candidate].mean())),
        *_mean("retained accuracy, mean of the references", others, lambda one: right[one]),
        Figure("decisions changed, candidate", float((decided[candidate] != decided[champion]).mean())),
        *_mean("decisions changed, mean of the references", others, lambda one: decided[one] != decided[champion]),
        *cost,
    )


def _mean(name: str, weights: Sequence[Digest], figure: Callable[[Digest], FloatArray]) -> tuple[Figure, ...]:
    return (Figure(name, float(np.mean([figure(one).mean() for one in weights]))),) if weights else ()
