"""Perturbed sign gradient: forgotten cases learn the answer on the other side of the champion's nearest boundary.

The ancestor, Boundary Shrink, is the same update with a shorter search and no retained cases.
"""

from __future__ import annotations

from collections.abc import Mapping

from maintain.records import Scalar
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.boundary import TargetKind, projected_steps, single_step
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import perturbed, shrinking
from maintain.unlearn.perturbed import Perturbed
from maintain.unlearn.psg_options import PsgChoices, psg_choices, psg_course, shrink_course
from maintain.unlearn.revision import revise
from maintain.unlearn.side_by_side import options_of
from maintain.unlearn.table.perturbed import PsgMode, ShrinkSearch


class Psg:
    """The method `psg`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget, by options that do not contradict each other."""
        return perturbed("psg", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases with their boundary's answer. Raises as `revise` does."""
        options = options_of("psg", request)
        return revise("psg", request, Perturbed(psg_choices(options), say=request.say), psg_course(options))


class BoundaryShrink:
    """The method `boundary-shrink`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget."""
        return shrinking("boundary-shrink", request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases alone with other labels. Raises as `revise` does."""
        options = options_of("boundary-shrink", request)
        objective = Perturbed(_shrinking(options), say=request.say)
        return revise("boundary-shrink", request, objective, shrink_course(options))


# --- private ---------------------------------------------------------------------------------------


def _shrinking(options: Mapping[str, Scalar]) -> PsgChoices:
    find = single_step if options["search"] == ShrinkSearch.SINGLE_STEP else projected_steps
    return PsgChoices(
        mode=PsgMode.STANDARD,
        held_out_share=0.0,
        search=find(float(options["radius"])),
        targets=TargetKind.HARD,
        temperature=1.0,
        remain=0.0,
        retention_drop=0.0,
    )
