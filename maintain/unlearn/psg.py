"""Perturbed sign gradient: forgotten cases learn the answer on the other side of the champion's nearest boundary.

The ancestor, Boundary Shrink, is the same update with a shorter search and no retained cases.
"""

from __future__ import annotations

from maintain.errors import InputError
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.boundary import TargetKind, projected_steps, single_step
from maintain.unlearn.course import Course
from maintain.unlearn.eligibility import Eligibility, Finding, Grade
from maintain.unlearn.perturbed import Perturbed
from maintain.unlearn.psg_options import PsgChoices, psg_choices, psg_course
from maintain.unlearn.revision import eligible, revise
from maintain.unlearn.side_by_side import course_of_options, options_of
from maintain.unlearn.table.perturbed import PsgMode, ShrinkSearch
from maintain.unlearn.table.row import RETAIN_BATCH


class Psg:
    """The method `psg`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget, by options that do not contradict each other."""
        options = options_of("psg", request)
        found = eligible(request, psg_course(options), method="psg")
        try:
            psg_choices(options)
        except InputError as error:
            return Eligibility((Finding(Grade.BLOCKING, error.message, error.remedy), *found.reasons))
        return found

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases with their boundary's answer. Raises as `revise` does."""
        options = options_of("psg", request)
        return revise("psg", request, Perturbed(psg_choices(options), say=request.say), psg_course(options))


class BoundaryShrink:
    """The method `boundary-shrink`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether forgotten cases can be relabelled within the budget."""
        return eligible(request, _shrink(request)[1], method="boundary-shrink")

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion after learning forgotten cases alone with other labels. Raises as `revise` does."""
        choices, course = _shrink(request)
        return revise("boundary-shrink", request, Perturbed(choices, say=request.say), course)


# --- private ---------------------------------------------------------------------------------------


def _shrink(request: UnlearnRequest) -> tuple[PsgChoices, Course]:
    options = options_of("boundary-shrink", request)
    find = single_step if options["search"] == ShrinkSearch.SINGLE_STEP else projected_steps
    choices = PsgChoices(
        mode=PsgMode.STANDARD,
        held_out_share=0.0,
        search=find(float(options["radius"])),
        targets=TargetKind.HARD,
        temperature=1.0,
        remain=0.0,
        retention_drop=0.0,
    )
    return choices, course_of_options({**options, "retain_batch": RETAIN_BATCH})
