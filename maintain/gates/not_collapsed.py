"""The gate `not-collapsed`: does the candidate still work on cases of the group that nobody learned from?

A model that answers nothing any more tells no forgotten case from another either, so forgetting counts only where
the group is still read. Power study, section 6, flaw 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import answers_of, unusable
from maintain.gates.base import Evidence, judged, listed, number
from maintain.gates.finding import Finding, explained, figure_of
from maintain.gates.sides import told_size
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import BEHAVIOUR_ALPHA, ArmSize, Metric, PairedDifference, paired_bound, paired_power
from maintain.statistics.power import FEWEST_CASES, FEWEST_PATIENTS
from maintain.vocabulary import Outcome, Role


@dataclass(frozen=True, slots=True)
class NotCollapsed:
    """Accuracy on never-seen cases of the group, against the champion's."""

    request: GateRequest
    name: ClassVar[str] = "not-collapsed"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS when the loss is shown below the margin, FAIL when shown above it.

        Raises `NotEvaluatedError` where there are too few cases, or they were not measured whole.
        """
        if refused := unusable(evidence, Role.NEVER_SEEN):
            return judged(self.request, Outcome.FAIL, listed(refused))
        margin = number(self.request, "margin")
        champion, candidate = (
            answers_of(evidence, weights, Role.NEVER_SEEN)
            for weights in (evidence.plan.champion.weights, evidence.candidate.weights)
        )
        size = ArmSize(len(champion.cases), len(set(champion.patients)))
        _check_size(size, margin)
        bound = paired_bound(
            Metric.ACCURACY,
            labels=champion.labels,
            before=champion.logits,
            after=candidate.logits,
            patients=champion.patients,
            alpha=BEHAVIOUR_ALPHA,
        )
        figures = (
            figure_of("change in accuracy", bound, limit=-margin, cases=size.cases, patients=size.patients),
            Figure("the champion's accuracy", float(champion.right().mean())),
            Figure("the candidate's accuracy", float(candidate.right().mean())),
        )
        return _finding(bound, margin, figures).result(self.request)

    def explain(self, result: GateResult) -> str:
        """What was asked, and what is shown."""
        asked = (
            "Asked: does the revised model still read images of this group that no model ever saw about as well as the"
            " present one? (Below 0 it reads fewer of them rightly.)"
        )
        return explained(asked, result, passed="It does:", failed="It does not:")


# --- private ---------------------------------------------------------------------------------------


def _check_size(size: ArmSize, margin: float) -> None:
    if size.cases < FEWEST_CASES or size.patients < FEWEST_PATIENTS:
        visible = paired_power(size, margin=margin).smallest_visible
        seen = f" The smallest loss that could have been seen is about {visible:.2f}." if visible is not None else ""
        raise NotEvaluatedError(
            f"{told_size(size)} of the group were never seen; {FEWEST_CASES} cases of {FEWEST_PATIENTS} patients are"
            f" needed.{seen}",
            remedy="Let the search go on to a retrain, which digests prove at any size.",
        )


def _finding(bound: PairedDifference, margin: float, figures: tuple[Figure, ...]) -> Finding:
    lost = bound.high < -margin
    shown = bound.low > -margin
    return Finding(
        (f"accuracy on never-seen cases of the group is shown to fall by more than {margin:g}",) if lost else (),
        () if shown or lost else (f"accuracy may have fallen by {-bound.low:.3f}, not shown below {margin:g}",),
        f"The loss is shown below {margin:g}.",
        figures,
    )
