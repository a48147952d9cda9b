"""The gate `held-out`: is the candidate right on forgotten cases as often as on cases it never saw?

Whoever remembers cases is right on them more often than on others as difficult. The champion is asked first: where
it is not shown to remember, nobody could fail, and so nobody passes. Power study, sections 1, 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain.gates.answers import unusable
from maintain.gates.arms import Arms, arms_of
from maintain.gates.base import Evidence, number
from maintain.gates.finding import NOTHING_TO_FORGET, Finding, explained, figure_of, inside, optional_figure
from maintain.gates.sides import visible_leak
from maintain.hashing import Digest
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import BEHAVIOUR_ALPHA, ArmsDifference, adjusted_difference, adjusted_difference_power
from maintain.vocabulary import Role

#: The share of the champion's gap below which a candidate's must be shown: DESIGN §7, power.md §5.
HALF = 0.5


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Correctness on forgotten minus never-seen cases, at equal difficulty."""

    request: GateRequest
    name: ClassVar[str] = "held-out"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS within the margin and shown below half the champion's gap; FAIL shown beyond either.

        Raises `NotEvaluatedError` where the arms are too small, were not measured whole, or lack difficulty.
        """
        margin = number(self.request, "margin")
        return gap_finding(evidence, evidence.candidate.weights, margin=margin).result(self.request)

    def explain(self, result: GateResult) -> str:
        """What was asked of both models, and what is shown."""
        asked = (
            "Asked: is the revised model right on the images it should have forgotten more often, or less often, than"
            " on images of the same group that it never saw and that are as difficult? (0 is no difference.)"
        )
        return explained(
            asked,
            result,
            passed="It treats them alike:",
            failed="It does not treat them alike, so they are not forgotten:",
        )


def gap_finding(evidence: Evidence, weights: Digest, *, margin: float) -> Finding:
    """What the gap of these weights shows, held against the champion's. Raises as `HeldOut.measure`."""
    if refused := unusable(evidence, Role.FORGET, Role.NEVER_SEEN, weights=weights):
        return Finding(tuple(refused), (), "")
    arms = arms_of(evidence, adjusted_difference_power, margin=margin)
    if arms.unbalanced:
        return Finding((), (arms.unbalanced,), "", arms.figures())
    gaps = _gaps(evidence, arms, weights)
    outside, unshown = inside("the difference to never-seen cases", gaps.candidate, 0.0, margin)
    failed = [outside] if outside else []
    open_ends = [unshown] if unshown else []
    if not gaps.champion.low > 0.0:
        open_ends.insert(0, f"{NOTHING_TO_FORGET}: the champion itself may be no better on these cases than on others")
    elif gaps.less.low > 0.0 or gaps.more.high < 0.0:
        failed.append("at least half of the champion's difference is shown to be left")
    elif not (gaps.less.high < 0.0 and gaps.more.low > 0.0):
        open_ends.append("the difference is not shown below half the champion's")
    figures = (
        *gaps.figures(arms, margin),
        *_unadjusted(evidence, arms, weights),
        *visible_leak(arms.sides, adjusted_difference_power, margin=margin),
        *arms.figures(),
    )
    reason = f"The difference is shown within {margin:g} and below half the champion's.{arms.sides.left_told()}"
    return Finding(tuple(failed), tuple(open_ends), reason, figures)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gaps:
    """The champion's gap, the candidate's, and the candidate's less or plus half the champion's."""

    champion: ArmsDifference
    candidate: ArmsDifference
    less: ArmsDifference
    more: ArmsDifference

    def figures(self, arms: Arms, margin: float) -> tuple[Figure, ...]:
        size = arms.sides.sizes()[0]
        cases, patients = size.cases, size.patients
        return (
            figure_of("the champion's difference", self.champion, limit=0.0, cases=cases, patients=patients),
            figure_of("the candidate's difference", self.candidate, limit=margin, cases=cases, patients=patients),
            figure_of("the candidate's less half the champion's, to be below 0", self.less, limit=0.0),
            figure_of("the candidate's plus half the champion's, to be above 0", self.more, limit=0.0),
        )


def _gaps(evidence: Evidence, arms: Arms, weights: Digest) -> _Gaps:
    """Paired by case, so that a contrast is one difference of one value a case."""
    before, after = (arms.right(evidence, asked) for asked in (evidence.plan.champion.weights, weights))

    def contrast(half: float) -> ArmsDifference:
        mixed = tuple(late.values + half * early.values for early, late in zip(before, after, strict=True))
        limits = (min(half, 0.0), 1.0 + max(half, 0.0))
        return adjusted_difference(*arms.of((mixed[0], mixed[1]), limits), alpha=BEHAVIOUR_ALPHA)

    return _Gaps(
        champion=adjusted_difference(*before, alpha=BEHAVIOUR_ALPHA),
        candidate=adjusted_difference(*after, alpha=BEHAVIOUR_ALPHA),
        less=contrast(-HALF),
        more=contrast(HALF),
    )


def _unadjusted(evidence: Evidence, arms: Arms, weights: Digest) -> tuple[Figure, ...]:
    first, second = arms.right(evidence, weights)
    return optional_figure(
        "the candidate's difference, not adjusted for difficulty",
        lambda: float(first.values.mean() - second.values.mean()),
    )
