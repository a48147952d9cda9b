"""What a method would take and whether it can be tried at all, from its options alone: said before any time is spent.

A function a family, named by the rows of the table. Needs no torch, so that `plan` says it on a machine that cannot
train; the methods themselves ask the same functions, so that a plan and a search never differ.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from maintain.errors import InputError
from maintain.records import Recipe
from maintain.unlearn.course import Course
from maintain.unlearn.eligibility import (
    Asked,
    Eligibility,
    Finding,
    Grade,
    behavioural_eligibility,
    retrain_eligibility,
    revision_eligibility,
    unstepped_eligibility,
)
from maintain.unlearn.options import method_info, resolve_options
from maintain.unlearn.psg_options import psg_choices, psg_course, shrink_course
from maintain.unlearn.recipes import check_recipe, continued_recipe, require_recipe, steps_of
from maintain.unlearn.refits import refit_course
from maintain.unlearn.rounds import rounds_of
from maintain.unlearn.side_by_side import course_of_options, options_of
from maintain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The most optimiser steps that a method takes, None where nothing says them, and every reason for and against."""

    steps: int | None
    eligibility: Eligibility


def foresee(method: str, asked: Asked) -> Foreseen | None:
    """What the method of that name would take; None where its row names nobody who could say it.

    Raises:
        InputError: An option is wrong.
        UnknownNameError: There is no such method.
    """
    module, _, function = method_info(method).foreseen.partition(":")
    if not module:
        return None
    say = cast("Callable[[str, Asked], Foreseen]", getattr(importlib.import_module(module), function))
    return say(method, asked)


def of_course(method: str, asked: Asked, course: Course) -> Foreseen:
    """A course from the champion's own weights."""
    found = revision_eligibility(
        asked.manifest, asked.spec, asked.roles, course, method=method, budget_steps=asked.budget_steps
    )
    return Foreseen(course.steps, found)


def side_by_side(method: str, asked: Asked) -> Foreseen:
    """Steps on forgotten and retained cases side by side."""
    return of_course(method, asked, course_of_options(options_of(method, asked)))


def rounds(method: str, asked: Asked) -> Foreseen:
    """Steps side by side in rounds, of which only max-steps see forgotten cases: as many rounds as see every one."""
    options = options_of(method, asked)
    forgotten = len(asked.roles.of(Role.FORGET))
    gone = rounds_of(options, forgotten)
    found = of_course(method, asked, replace(course_of_options(options), steps=gone.steps))
    if gone.steps == options["steps"]:
        return found
    more = Finding(
        Grade.CAUTION,
        f"Forgotten cases come in max-steps alone, and those of {options['steps']} steps do not see every one of"
        f" {forgotten}: it takes {gone.steps}.",
        "Raise `max_steps` or `forget_batch` for fewer.",
    )
    return Foreseen(found.steps, Eligibility((*found.eligibility.reasons, more)))


def perturbed(method: str, asked: Asked) -> Foreseen:
    """Steps side by side towards labels of a search, whose options may contradict each other."""
    options = options_of(method, asked)
    found = of_course(method, asked, psg_course(options))
    try:
        psg_choices(options)
    except InputError as error:
        against = Finding(Grade.BLOCKING, error.message, error.remedy)
        return Foreseen(found.steps, Eligibility((against, *found.eligibility.reasons)))
    return found


def shrinking(method: str, asked: Asked) -> Foreseen:
    """Steps on forgotten cases alone towards labels of a search."""
    return of_course(method, asked, shrink_course(options_of(method, asked)))


def refit(method: str, asked: Asked) -> Foreseen:
    """Steps on retained cases after part of the weights was thrown away."""
    return of_course(method, asked, refit_course(options_of(method, asked)))


def unstepped(method: str, asked: Asked) -> Foreseen:
    """No step at all."""
    resolve_options(method_info(method), asked.options)
    return Foreseen(0, unstepped_eligibility(asked.manifest, asked.spec, asked.roles, method=method))


def continued(method: str, asked: Asked) -> Foreseen:
    """More passes over the retained cases, by the model's recipe at another rate."""
    recipe = further_recipe(method, asked)
    found = behavioural_eligibility(asked.manifest, asked.spec, asked.roles, recipe, budget_steps=asked.budget_steps)
    return Foreseen(_steps(recipe, asked), found)


def anew(method: str, asked: Asked) -> Foreseen:
    """The model's recipe from new weights, with no more passes than an option `epochs` says."""
    recipe = anew_recipe(method, asked) if asked.spec.recipe else None
    retained = asked.roles.of(Role.RETAIN)
    spec = replace(asked.spec, recipe=recipe)
    found = retrain_eligibility(spec, asked.manifest, retained, budget_steps=asked.budget_steps)
    return Foreseen(_steps(recipe, asked), found)


def further_recipe(method: str, asked: Asked) -> Recipe | None:
    """The recipe with so many passes at a share of its rate; None for a model that has none."""
    options = options_of(method, asked)
    if asked.spec.recipe is None:
        return None
    return continued_recipe(
        asked.spec.recipe,
        epochs=int(options["epochs"]),
        learning_rate_share=float(options["learning_rate_share"]),
        seed=asked.seed,
    )


def anew_recipe(method: str, asked: Asked) -> Recipe:
    """The recipe with the passes that were asked for, never with more than its own. Raises `InputError` without one."""
    recipe, options = require_recipe(asked.spec.recipe), options_of(method, asked)
    return replace(recipe, epochs=min(recipe.epochs, int(options.get("epochs", recipe.epochs))))


def recipe_steps(recipe: Recipe | None, cases: int) -> int | None:
    """Steps of a recipe over so many cases; None where there is no recipe that can be repeated."""
    if recipe is None:
        return None
    try:
        check_recipe(recipe)
    except InputError:
        return None
    return steps_of(recipe, cases) if cases else 0


# --- private ---------------------------------------------------------------------------------------


def _steps(recipe: Recipe | None, asked: Asked) -> int | None:
    retained = len(asked.roles.of(Role.RETAIN))
    return recipe_steps(recipe, retained) if retained else None
