"""Recipes: how weights are made from data, as named figures, without torch.

The default is setting L of the feasibility study: a champion then learns its cases so well that
forgetting them can be shown.
"""

from __future__ import annotations

from dataclasses import replace

from maintain.errors import InputError, UnknownNameError
from maintain.imaging.augmentation import NO_AUGMENTATION, augmentation_entry
from maintain.imaging.batches import batches_per_epoch
from maintain.records import Recipe

#: Stochastic gradient descent with Nesterov's momentum: the one optimiser that the study measured.
SGD_NESTEROV = "sgd-nesterov"
#: Smith's one-cycle schedule of the learning rate (Smith and Topin 2018), momentum held constant.
ONE_CYCLE = "one-cycle"
#: Share of the steps in which the one-cycle rate rises (torch's default, written down so that it stays).
RISE_SHARE = 0.3
#: The one-cycle rate begins at the peak divided by this (torch's default).
START_DIVISOR = 25.0
#: The one-cycle rate ends at its beginning divided by this (torch's default).
END_DIVISOR = 1e4

#: Peak of the one-cycle learning rate, setting L.
PEAK_LEARNING_RATE = 0.05
#: Nesterov momentum, setting L.
MOMENTUM = 0.9
#: Weight decay, setting L.
WEIGHT_DECAY = 5e-4
#: Cases a batch, setting L.
BATCH_SIZE = 64
#: Largest norm of a gradient before it is scaled down, setting L.
CLIP_NORM = 1.0
#: Passes over the cases, setting L: training accuracy then reaches 1.00.
EPOCHS = 30

#: Written where the digest of the initial weights is not known yet; a training fills it.
NOT_DRAWN_YET = ""


def default_recipe(*, seed: int, epochs: int = EPOCHS) -> Recipe:
    """Setting L with a seed; the digest of the initial weights is filled by the training.

    Images stay as they are on purpose: augmentation hides the leak that the demo shows.
    """
    return Recipe(
        optimiser=SGD_NESTEROV,
        learning_rate=PEAK_LEARNING_RATE,
        momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY,
        schedule=ONE_CYCLE,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        clip_norm=CLIP_NORM,
        augmentation=NO_AUGMENTATION,
        seed=seed,
        initial_weights=NOT_DRAWN_YET,
    )


def require_recipe(recipe: Recipe | None) -> Recipe:
    """The recipe of a model. Raises `InputError` for a model that has none."""
    if recipe is None:
        raise InputError(
            "The model has no recipe to train by.", remedy="Adopt it with its recipe, or train a first model here."
        )
    return recipe


def continued_recipe(recipe: Recipe, *, epochs: int, learning_rate_share: float, seed: int) -> Recipe:
    """The recipe of passes that go on from finished weights, at a share of the recipe's peak rate."""
    return replace(
        recipe,
        epochs=epochs,
        learning_rate=recipe.learning_rate * learning_rate_share,
        seed=seed,
        initial_weights=NOT_DRAWN_YET,
    )


def steps_of(recipe: Recipe, cases: int) -> int:
    """Optimiser steps that a recipe takes over this many cases: the unit of budgets."""
    return recipe.epochs * batches_per_epoch(cases, recipe.batch_size)


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that this program cannot repeat exactly as written.

    Raises:
        InputError: A word is unknown or a number is out of range.
    """
    for kind, word, known in (
        ("optimiser", recipe.optimiser, SGD_NESTEROV),
        ("schedule", recipe.schedule, ONE_CYCLE),
    ):
        if word != known:
            raise UnknownNameError(kind, word, [known])
    augmentation_entry(recipe.augmentation)
    for name, fits, allowed in (
        ("learning rate", 0 < recipe.learning_rate < float("inf"), "above zero"),
        ("momentum", 0 < recipe.momentum < 1, "between zero and one"),
        ("weight decay", 0 <= recipe.weight_decay < float("inf"), "zero or more"),
        ("number of epochs", recipe.epochs >= 1, "at least one"),
        ("batch size", recipe.batch_size >= 1, "at least one"),
        ("clipping norm", 0 < recipe.clip_norm < float("inf"), "above zero"),
        ("seed", recipe.seed >= 0, "zero or more"),
    ):
        if not fits:
            raise InputError(f"The recipe's {name} is out of range.", remedy=f"It must be {allowed}.")
