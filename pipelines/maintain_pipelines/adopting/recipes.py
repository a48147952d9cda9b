"""A recipe as a person writes it: every figure that a retrain needs, and none that only a training can know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from maintain.imaging import AUGMENTATIONS, NO_AUGMENTATION
from maintain.options import Option
from maintain.records import Recipe, Scalar
from maintain.unlearn import check_recipe, default_recipe
from maintain_policies import read_table

#: The recipe of models that are trained here; its figures fill no gap, they only type the options.
_OURS = default_recipe(seed=1)


def _number(name: str, default: float, doc: str, *, least: float = 0.0) -> Option:
    return Option(name=name, kind="number", default=default, minimum=least, doc=doc)


def _whole(name: str, default: int, doc: str, *, least: int = 1) -> Option:
    return Option(name=name, kind="integer", default=default, minimum=least, doc=doc)


#: What a file may say. The last two have defaults; everything else must be there.
OPTIONS = (
    Option(name="optimiser", kind="string", default=_OURS.optimiser, choices=(_OURS.optimiser,), doc="The optimiser."),
    _number("learning_rate", _OURS.learning_rate, "Peak of the learning rate."),
    _number("momentum", _OURS.momentum, "Nesterov momentum."),
    _number("weight_decay", _OURS.weight_decay, "Weight decay."),
    Option(name="schedule", kind="string", default=_OURS.schedule, choices=(_OURS.schedule,), doc="Of the rate."),
    _whole("epochs", _OURS.epochs, "Passes over the cases."),
    _whole("batch_size", _OURS.batch_size, "Cases a batch."),
    _number("clip_norm", _OURS.clip_norm, "Largest norm of a gradient."),
    Option(
        name="augmentation",
        kind="string",
        default=NO_AUGMENTATION,
        choices=tuple(sorted(AUGMENTATIONS)),
        doc="What is done to pictures while they are learned.",
    ),
    _whole("seed", _OURS.seed, "Seed of weights and order.", least=0),
)

#: What a file must say.
REQUIRED = tuple(option.name for option in OPTIONS if option.name not in ("augmentation", "seed"))


def read_recipe(path: Path | None) -> Recipe | None:
    """The recipe of a file, or None without one. Raises `InputError` for one that could not be repeated here."""
    if path is None:
        return None
    given: Mapping[str, Scalar] = read_table(path, OPTIONS, required=REQUIRED, what="recipe")
    values = {option.name: given.get(option.name, option.default) for option in OPTIONS}
    recipe = Recipe(
        optimiser=str(values["optimiser"]),
        learning_rate=float(values["learning_rate"]),
        momentum=float(values["momentum"]),
        weight_decay=float(values["weight_decay"]),
        schedule=str(values["schedule"]),
        epochs=int(values["epochs"]),
        batch_size=int(values["batch_size"]),
        clip_norm=float(values["clip_norm"]),
        augmentation=str(values["augmentation"]),
        seed=int(values["seed"]),
        initial_weights=_OURS.initial_weights,
    )
    check_recipe(recipe)
    return recipe
