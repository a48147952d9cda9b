"""The unlearning room: the training loop, the table of methods, and one file a method.

Names are resolved when they are first used, so that the table is read without torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.unlearn.base import Unlearned, Unlearner, UnlearnRequest
    from maintain.unlearn.catalog import load_method
    from maintain.unlearn.checkpoint import weights_in_checkpoint
    from maintain.unlearn.eligibility import (
        Asked,
        Eligibility,
        Finding,
        Grade,
        behavioural_eligibility,
        retrain_eligibility,
    )
    from maintain.unlearn.foresight import Foreseen, foresee, recipe_steps
    from maintain.unlearn.loop import Finished
    from maintain.unlearn.options import METHODS, method_info, resolve_options
    from maintain.unlearn.recipes import check_recipe, continued_recipe, default_recipe, steps_of
    from maintain.unlearn.session import Judge, LegResult, Progress, Standing, Stop
    from maintain.unlearn.start import ReadWeights, Start, read_start
    from maintain.unlearn.table.row import MethodInfo
    from maintain.unlearn.training import Trained, train
    from maintain.unlearn.witness import Heard, Witness

__all__ = [
    "METHODS",
    "Asked",
    "Eligibility",
    "Finding",
    "Finished",
    "Foreseen",
    "Grade",
    "Heard",
    "Judge",
    "LegResult",
    "MethodInfo",
    "Progress",
    "ReadWeights",
    "Standing",
    "Start",
    "Stop",
    "Trained",
    "UnlearnRequest",
    "Unlearned",
    "Unlearner",
    "Witness",
    "behavioural_eligibility",
    "check_recipe",
    "continued_recipe",
    "default_recipe",
    "foresee",
    "load_method",
    "method_info",
    "read_start",
    "recipe_steps",
    "resolve_options",
    "retrain_eligibility",
    "steps_of",
    "train",
    "weights_in_checkpoint",
]

#: Module of this package -> the names it gives to the front door.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "base": ("UnlearnRequest", "Unlearned", "Unlearner"),
    "catalog": ("load_method",),
    "checkpoint": ("weights_in_checkpoint",),
    "eligibility": ("Asked", "Eligibility", "Finding", "Grade", "behavioural_eligibility", "retrain_eligibility"),
    "foresight": ("Foreseen", "foresee", "recipe_steps"),
    "loop": ("Finished",),
    "options": ("METHODS", "method_info", "resolve_options"),
    "recipes": ("check_recipe", "continued_recipe", "default_recipe", "steps_of"),
    "session": ("Judge", "LegResult", "Progress", "Standing", "Stop"),
    "table.row": ("MethodInfo",),
    "start": ("ReadWeights", "Start", "read_start"),
    "training": ("Trained", "train"),
    "witness": ("Heard", "Witness"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
