"""Trainings by a recipe: first models, retrains, references, and passes that go on from finished weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.imaging.bank import bank_for
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.compute import check_precision
from maintain.imaging.loader import CaseLoader, LoaderCase
from maintain.imaging.pixels import PixelSource
from maintain.imaging.transforms import Chain
from maintain.records import LoaderLog, Origin, Recipe
from maintain.unlearn.course import Norms, course_of
from maintain.unlearn.feed import Feed
from maintain.unlearn.halving import halving
from maintain.unlearn.loop import Finished, run
from maintain.unlearn.objective import Objective
from maintain.unlearn.recipes import check_recipe, steps_of
from maintain.unlearn.session import LegResult, Progress, Stop, Training
from maintain.unlearn.start import Start
from maintain.unlearn.witness import Witness
from maintain.vocabulary import Precision


@dataclass(frozen=True, slots=True)
class Trained:
    """Finished weights with everything that says how they were made."""

    state: dict[str, Tensor]
    weights: Digest
    recipe: Recipe
    origin: Origin
    log: LoaderLog
    steps: int
    history: tuple[LegResult, ...]


def train(
    blueprint: Blueprint,
    recipe: Recipe,
    cases: Sequence[LoaderCase],
    pixels: PixelSource,
    *,
    start: Start | None = None,
    witness: Witness | None = None,
    budget_steps: int | None = None,
    device: str = "cpu",
    precision: Precision = Precision.FP32,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    say: Callable[[str], None] | None = None,
) -> Trained:
    """Train from new weights drawn from the recipe's seed, or from `start`; equal inputs, equal bytes.

    With `checkpoint`, every pass replaces that file and an interrupted training goes on from it bit for
    bit; it holds weights, so the caller removes it once the result is kept. `witness` is told what was done, and
    need not believe the caller. Where memory does not hold a batch, it begins again with half of it, and says so.

    Raises:
        DamagedError: The weights to start from are not those that their digest names.
        InputError: The recipe, the cases or the budget do not fit, or the checkpoint is another training's.
        RefusedError: Loss or weights stopped being finite numbers, or memory does not hold a single case.
        WaitingError: `stop` said so; the checkpoint is written.
    """
    check_recipe(recipe)
    check_precision(precision, device)
    bank = bank_for(pixels, [case.pixels for case in cases], device=device)
    Chain(blueprint.preprocessing).check(bank.take(torch.tensor([0])), blueprint.input_shape)
    norms = Norms.FROZEN if start is not None and start.freeze_norms else Norms.MIXED

    def attempt(size: int) -> tuple[Recipe, Feed, Finished]:
        tried = replace(recipe, batch_size=size)
        _refuse_beyond_budget(tried, len(cases), budget_steps)
        feed = Feed(CaseLoader(cases, bank, batch_size=size, seed=recipe.seed))
        training = Training(
            blueprint=blueprint,
            course=course_of(tried, len(cases), norms=norms, precision=precision),
            objective=Objective(),
            feed=feed,
            seed=recipe.seed,
            augmentation=recipe.augmentation,
            start=start,
            initial_weights=recipe.initial_weights,
            device=device,
            checkpoint=checkpoint,
            progress=progress,
            stop=stop,
            pay=None if witness is None else witness.pay,
        )
        return tried, feed, run(training)

    tried, feed, done = halving(attempt, recipe.batch_size, checkpoint=checkpoint, say=say)
    filled = replace(tried, initial_weights=done.origin.weights)
    if witness is not None:
        witness.hear(feed, done, recipe=filled)
    return Trained(done.state, done.weights, filled, done.origin, done.log, done.steps, done.history)


# --- private ---------------------------------------------------------------------------------------


def _refuse_beyond_budget(recipe: Recipe, cases: int, budget_steps: int | None) -> None:
    planned = steps_of(recipe, cases)
    if budget_steps is not None and planned > budget_steps:
        raise InputError(
            f"This training takes {planned} steps; the budget is {budget_steps}.",
            remedy="Raise `unlearn.budget.steps`, or choose a recipe with fewer epochs.",
        )
