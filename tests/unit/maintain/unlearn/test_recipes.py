from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import InputError, UnknownNameError
from maintain.unlearn import check_recipe, default_recipe, steps_of


@pytest.mark.parametrize("change", [{"optimiser": "adam"}, {"schedule": "cosine"}, {"augmentation": "flips"}])
def test_words_that_cannot_be_repeated_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(UnknownNameError):
        check_recipe(dataclasses.replace(default_recipe(seed=1), **change))  # type: ignore[arg-type]  # drawn by name


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"momentum": 1.0},
        {"weight_decay": -1.0},
        {"epochs": 0},
        {"batch_size": 0},
        {"clip_norm": 0.0},
        {"seed": -1},
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match="out of range"):
        check_recipe(dataclasses.replace(default_recipe(seed=1), **change))  # type: ignore[arg-type]  # drawn by name


def test_the_default_is_setting_l() -> None:
    recipe = default_recipe(seed=7)
    check_recipe(recipe)
    figures = (recipe.learning_rate, recipe.momentum, recipe.weight_decay, recipe.clip_norm)
    assert figures == (0.05, 0.9, 5e-4, 1.0)
    assert (recipe.epochs, recipe.batch_size, recipe.seed, recipe.initial_weights) == (30, 64, 7, "")


@given(cases=st.integers(2, 500), epochs=st.integers(1, 40))
def test_steps_are_epochs_times_batches(cases: int, epochs: int) -> None:
    whole, rest = divmod(cases, 64)
    by_hand = epochs * (whole + (rest > 1 or whole == 0))
    assert steps_of(default_recipe(seed=1, epochs=epochs), cases) == by_hand
