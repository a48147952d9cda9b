"""What the loop tells the stage past the method: which trainings there were, and what they consumed.

A method gets the witness only to hand it to the loop. It returns weights and nothing else; what is
said of them is looked up here by their digest, and drawn up by the loader that counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maintain.errors import RefusedError
from maintain.hashing import Digest
from maintain.imaging.weights import State, weights_digest
from maintain.records import LoaderLog, Origin, Recipe

if TYPE_CHECKING:
    from maintain.unlearn.feed import Feed
    from maintain.unlearn.loop import Finished


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one set of weights: where training began, by which recipe, and what it was handed.

    `recipe` is None for weights that no recipe makes from nothing. `spent` counts steps that were thrown away too.
    `looked` says that a judge was asked which weights of the training to end with.
    """

    weights: Digest
    recipe: Recipe | None
    origin: Origin
    log: LoaderLog
    steps: int
    spent: int
    looked: bool = False


class Witness:
    """Remembers every training that the loop finished, by the digest of the weights it ended with."""

    def __init__(self) -> None:
        self._heard: dict[Digest, Heard] = {}
        self._spent = 0

    @property
    def steps(self) -> int:
        """Optimiser steps of every training, finished or refused, kept or thrown away."""
        return self._spent

    def pay(self, steps: int) -> None:
        """Count the steps of a training that ended without weights to keep."""
        self._spent += steps

    def hear(self, feed: Feed, done: Finished, *, recipe: Recipe | None) -> None:
        """Remember a finished training: the feed draws up the log, and the digest is computed here."""
        weights = weights_digest(done.state)
        log = feed.log(done.origin, done.at, final_weights=weights, steps=done.steps)
        self._spent += done.spent
        looked = done.standing is not None
        self._heard[weights] = Heard(weights, recipe, done.origin, log, done.steps, done.spent, looked)

    def of(self, state: State) -> Heard:
        """What was heard of these weights. Raises `RefusedError` when no training ended with them."""
        weights = weights_digest(state)
        if weights not in self._heard:
            raise RefusedError(
                "The method returned weights that no training under its witness ended with.",
                remedy="Train through `maintain.unlearn.train` with the request's witness, and return its weights.",
            )
        return self._heard[weights]
