"""Fine-tuning: the champion's weights go on learning, on the retained cases alone. A control.

It takes no step against what must be forgotten and trusts that the rest overwrites it. Measured, it
never did: whoever adds a method compares it with this one, and a gate that passes this one is broken.
"""

from __future__ import annotations

from maintain.codec import digest_of
from maintain.imaging.blueprint import blueprint_of
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.foresight import continued, further_recipe
from maintain.unlearn.recipes import require_recipe
from maintain.unlearn.side_by_side import options_of
from maintain.unlearn.start import read_start
from maintain.unlearn.training import train
from maintain.vocabulary import Role

#: The name in the table, and of its checkpoint file.
_NAME = "finetune"


class Finetune:
    """The method `finetune`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether there is a recipe to go on with, cases to go on with, and the budget for it."""
        return continued(_NAME, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion's weights after more passes over the retained cases.

        Raises:
            DamagedError: The parent's weights are not those that the request names.
            InputError: The method is not eligible, or an option is wrong.
        """
        self.eligible(request).require(_NAME)
        recipe = require_recipe(further_recipe(_NAME, request))
        blueprint = blueprint_of(request.spec)
        start = read_start(
            request.read_parent,
            weights=request.parent_weights,
            manifest=digest_of(request.manifest),
            freeze_norms=bool(options_of(_NAME, request)["freeze_norms"]),
        )
        trained = train(
            blueprint,
            recipe,
            blueprint.loader_cases(request.roles.of(Role.RETAIN), Role.RETAIN),
            request.pixels,
            start=start,
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
