"""The gate `zero`: are cases of a withdrawn label no longer given it?

It looks at answers only: a network whose output for the label is masked passes as well, though its features may
tell the label as before. So it always says so, and shows what a linear probe of the features finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import Answers, unusable
from maintain.gates.base import Evidence, number
from maintain.gates.deciding import whole_labels
from maintain.gates.finding import NOTHING_TO_FORGET, Finding, below, explained, figure_of
from maintain.gates.sides import check_size, visible_leak, whole_sides
from maintain.hashing import Digest
from maintain.records import GateRequest, GateResult
from maintain.statistics import BEHAVIOUR_ALPHA, ArmSize, Bound, Power, share_bound, share_bound_power
from maintain.vocabulary import Role

#: What this gate cannot go beyond, said with every result.
OUTPUT_ONLY = "This is output behaviour only: a masked output passes too."

#: The arms as they are told.
ARMS = ("forgotten", "never-seen")


@dataclass(frozen=True, slots=True)
class Zero:
    """The share of the label's cases that are still given it."""

    request: GateRequest
    name: ClassVar[str] = "zero"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS when the share is shown below the limit in both arms, FAIL when shown above it in one.

        Raises `NotEvaluatedError` where no label is withdrawn whole, and in arms too small or not measured whole.
        """
        found = zero_finding(evidence, evidence.candidate.weights, limit=number(self.request, "limit"))
        return found.result(self.request, *evidence.probe)

    def explain(self, result: GateResult) -> str:
        """What was asked, what is shown, and what is not."""
        asked = (
            "Asked: is the withdrawn label still given to images that carry it, those the model learned and those it"
            " never saw? (0 is never.)"
        )
        told = explained(
            asked,
            result,
            passed="It is hardly ever given any more:",
            failed="It is still given, or cannot be judged:",
        )
        return told if OUTPUT_ONLY in told else f"{told} {OUTPUT_ONLY}"


def zero_finding(evidence: Evidence, weights: Digest, *, limit: float) -> Finding:
    """How often these weights still give a withdrawn label. Raises as `Zero.measure`."""
    if refused := unusable(evidence, Role.FORGET, Role.NEVER_SEEN, weights=weights):
        return Finding((*refused, OUTPUT_ONLY.rstrip(".")), (), "")
    sides = whole_sides(evidence)
    check_size(sides, _planned, margin=limit)
    classes = _withdrawn(evidence)
    champion, candidate = (sides.ask(evidence, asked) for asked in (evidence.plan.champion.weights, weights))
    failed, unshown, figures = [], [], []
    for name, before, after in zip(ARMS, champion, candidate, strict=True):
        early, late = (_share(answers, classes) for answers in (before, after))
        outside, open_end = below(f"the share of {name} cases still given the label", late, limit)
        failed += [outside] if outside else []
        unshown += [open_end] if open_end else []
        if not early.low > limit:
            unshown.append(f"{NOTHING_TO_FORGET}: the champion may not give {name} cases the label either")
        cases, patients = late.cases, late.patients
        figures += [
            figure_of(f"share given the label, {name}, champion", early, cases=cases, patients=patients),
            figure_of(f"share given the label, {name}, candidate", late, limit=limit, cases=cases, patients=patients),
        ]
    said = OUTPUT_ONLY.rstrip(".")
    return Finding(
        (*failed, said) if failed else (),
        (*unshown, said) if unshown else (),
        f"Both shares are shown below {limit:g}. {OUTPUT_ONLY}",
        (*figures, *visible_leak(sides, _planned, margin=limit), *sides.figures()),
    )


# --- private ---------------------------------------------------------------------------------------


def _withdrawn(evidence: Evidence) -> NDArray[np.int64]:
    """The classes that are withdrawn whole."""
    labels = whole_labels(evidence.roles)
    order = evidence.candidate_spec.label_order
    if not labels or not labels <= set(order):
        raise NotEvaluatedError(
            "No label is withdrawn whole: retained or held-out cases still carry it, so it must still be given.",
            remedy="Judge the group by references instead: `gates: default` does.",
        )
    return np.asarray([place for place, label in enumerate(order) if label in labels], dtype=np.int64)


def _share(answers: Answers, classes: NDArray[np.int64]) -> Bound:
    return share_bound(np.isin(answers.decided(), classes), answers.patients, alpha=BEHAVIOUR_ALPHA)


def _planned(first: ArmSize, second: ArmSize, /, *, margin: float) -> Power:
    """Of the two arms the one whose bound is wider."""
    powers = [share_bound_power(arm, limit=margin) for arm in (first, second)]
    return max(powers, key=lambda power: 1.0 if power.smallest_visible is None else power.smallest_visible)
