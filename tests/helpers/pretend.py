"""An unlearning method that does not forget: it trains on one forgotten case and says nothing of it."""

from __future__ import annotations

from dataclasses import replace

from maintain.imaging import blueprint_of
from maintain.unlearn import Eligibility, Unlearned, UnlearnRequest, train
from maintain.unlearn.options import METHODS
from maintain.vocabulary import Role

#: What the table of methods would say of it.
INFO = replace(METHODS["retrain"], name="pretend", target="helpers.pretend:Pretend")


class Pretend:
    """The method `pretend`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        return Eligibility(())

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        blueprint, recipe = blueprint_of(request.spec), request.spec.recipe
        assert recipe is not None
        rows = (*request.roles.of(Role.RETAIN), request.roles.of(Role.FORGET)[0])
        done = train(
            blueprint,
            replace(recipe, seed=request.seed, initial_weights=""),
            blueprint.loader_cases(rows, Role.RETAIN),
            request.pixels,
            witness=request.witness,
        )
        return Unlearned(done.state)


__all__ = ["INFO", "Pretend"]
