"""Retraining: the model's own recipe, from new weights, on the retained cases alone.

The way out of every search: it satisfies every claim by construction, because the forget cases are
never given to the loader.
"""

from __future__ import annotations

from dataclasses import replace

from maintain.imaging.blueprint import blueprint_of
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import anew
from maintain.unlearn.recipes import NOT_DRAWN_YET, require_recipe
from maintain.unlearn.training import train
from maintain.vocabulary import Role

#: The name in the table, and of its checkpoint file.
_NAME = "retrain"


class Retrain:
    """The method `retrain`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there is a recipe to repeat, cases to repeat it on, and the budget for it."""
        return anew(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """Weights that never saw the forget cases. Raises `InputError` where the method is not eligible."""
        self.eligible(request).require(_NAME)
        recipe = require_recipe(request.spec.recipe)
        blueprint = blueprint_of(request.spec)
        trained = train(
            blueprint,
            replace(recipe, seed=request.seed, initial_weights=NOT_DRAWN_YET),
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
