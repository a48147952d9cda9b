"""The gate `membership`: can an attack that knows how difficult cases are tell which were forgotten?

The attack orders cases by how surely the model gives them their label, less what difficulty explains. Averages hide
a few patients who are remembered wholly, so its tail is looked at too. Power study, sections 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from maintain.gates.answers import unusable
from maintain.gates.arms import LOG_PROBABILITY, arms_of
from maintain.gates.base import Evidence, number
from maintain.gates.finding import NOTHING_TO_FORGET, Finding, below, explained, figure_of, inside, optional_figure
from maintain.gates.options import CASES_FOR_STRICT_TAIL
from maintain.gates.sides import visible_leak
from maintain.hashing import Digest
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import (
    BEHAVIOUR_ALPHA,
    Arm,
    calibrated_auc,
    calibrated_auc_power,
    difficulty_slope,
    explained_share,
    tail_share,
)
from maintain.vocabulary import Role

#: The AUC of an attack that can tell nothing.
CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Membership:
    """An attack on the margins of forgotten against never-seen cases."""

    request: GateRequest
    name: ClassVar[str] = "membership"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS when the attack is shown near chance and its tail small; FAIL when either is shown not to be.

        Raises `NotEvaluatedError` where the arms are too small, were not measured whole, or lack difficulty.
        """
        limits = TailLimits(number(self.request, "tail"), number(self.request, "small_tail"))
        weights, margin = evidence.candidate.weights, number(self.request, "margin")
        return attack_finding(evidence, weights, margin=margin, tail=limits).result(self.request)

    def explain(self, result: GateResult) -> str:
        """What the attack was, and what it found."""
        asked = (
            "Asked: can somebody who sees how sure the revised model is, and knows how difficult each image is, tell"
            " the forgotten images from ones it never saw? (0.5 is guessing. Of images it never saw, one in twenty"
            " lies in the tail of unusually sure answers.)"
        )
        return explained(
            asked,
            result,
            passed="This attack cannot, which does not rule out every other:",
            failed="It can, so they are not forgotten:",
        )


@dataclass(frozen=True, slots=True)
class TailLimits:
    """The largest share of forgotten cases in the tail, from 500 of them on and below."""

    usual: float
    small: float

    def of(self, cases: int) -> float:
        """The limit for so many forgotten cases."""
        return self.usual if cases >= CASES_FOR_STRICT_TAIL else self.small


def attack_finding(evidence: Evidence, weights: Digest, *, margin: float, tail: TailLimits | None) -> Finding:
    """What the attack on these weights shows; its tail is judged where there are limits. Raises as the gate."""
    if refused := unusable(evidence, Role.FORGET, Role.NEVER_SEEN, weights=weights):
        return Finding(tuple(refused), (), "")
    arms = arms_of(evidence, calibrated_auc_power, margin=margin)
    if arms.unbalanced:
        return Finding((), (arms.unbalanced,), "", arms.figures())
    before, after = (arms.margins(evidence, asked) for asked in (evidence.plan.champion.weights, weights))
    size = arms.sides.sizes()[0]
    cases, patients = size.cases, size.patients
    champion, candidate = (calibrated_auc(*arm, alpha=BEHAVIOUR_ALPHA) for arm in (before, after))
    found = [inside("the attack's AUC", candidate, CHANCE, margin)]
    figures = [
        figure_of("attack on the champion, AUC", champion, limit=CHANCE, cases=cases, patients=patients),
        figure_of("attack on the candidate, AUC", candidate, limit=CHANCE + margin, cases=cases, patients=patients),
    ]
    if tail is not None:
        limit = tail.of(cases)
        early, late = (tail_share(*arm, alpha=BEHAVIOUR_ALPHA) for arm in (before, after))
        found.append(below("the share of forgotten cases in the never-seen tail", late, limit))
        figures.append(figure_of("share in the tail, champion", early, cases=cases, patients=patients))
        figures.append(figure_of("share in the tail, candidate", late, limit=limit, cases=cases, patients=patients))
    open_ends = [unshown for _, unshown in found if unshown]
    if not champion.low > CHANCE:
        open_ends.insert(0, f"{NOTHING_TO_FORGET}: the attack may do no better than guess on the champion itself")
    return Finding(
        tuple(outside for outside, _ in found if outside),
        tuple(open_ends),
        f"The attack is shown within {margin:g} of guessing{', and its tail small' if tail else ''}."
        f"{arms.sides.left_told()}",
        (*figures, *_described(after), *visible_leak(arms.sides, calibrated_auc_power, margin=margin), *arms.figures()),
    )


# --- private ---------------------------------------------------------------------------------------


def _described(arms: tuple[Arm, Arm]) -> tuple[Figure, ...]:
    """What decides nothing: the plain attack, how well difficulty explains answers, and in which arm it still does."""
    plain = tuple(replace(arm, covariates=np.empty((len(arm.values), 0))) for arm in arms)
    first, second = arms
    return (
        *optional_figure(
            "attack on the candidate without difficulty, AUC",
            lambda: calibrated_auc(plain[0], plain[1], alpha=BEHAVIOUR_ALPHA).estimate,
        ),
        *optional_figure("share of never-seen answers that difficulty explains", lambda: explained_share(second)),
        *optional_figure("slope on difficulty, forgotten cases", lambda: difficulty_slope(first, LOG_PROBABILITY)),
        *optional_figure("slope on difficulty, never-seen cases", lambda: difficulty_slope(second, LOG_PROBABILITY)),
    )
