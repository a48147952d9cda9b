"""The early-stopped retrain: the model's own recipe from new weights, with few passes, on the retained cases alone.

It proves as much as a whole retrain does, for the forgotten cases are never given to the loader. A champion that
learned its cases by heart is often beaten by it in retention as well, which a report must say.
"""

from __future__ import annotations

from dataclasses import replace

from maintain.imaging.blueprint import blueprint_of
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import anew, anew_recipe
from maintain.unlearn.recipes import NOT_DRAWN_YET
from maintain.unlearn.training import train
from maintain.vocabulary import Role

#: The name in the table, and of its checkpoint file.
_NAME = "short-retrain"


class ShortRetrain:
    """The method `short-retrain`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there is a recipe to shorten, cases to train on, and the budget for it."""
        return anew(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """Weights that never saw the forget cases. Raises `InputError` where the method is not eligible."""
        self.eligible(request).require(_NAME)
        blueprint = blueprint_of(request.spec)
        trained = train(
            blueprint,
            replace(anew_recipe(_NAME, request), seed=request.seed, initial_weights=NOT_DRAWN_YET),
            blueprint.loader_cases(request.roles.of(Role.RETAIN), Role.RETAIN),
            request.pixels,
            witness=request.witness,
            budget_steps=request.budget_steps,
            device=request.device,
            precision=request.precision,
            checkpoint=request.checkpoint_of(_NAME),
            progress=request.progress,
            stop=request.stop,
            say=request.say,
        )
        return Unlearned(trained.state)
