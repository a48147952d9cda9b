"""The measuring room: what a set of weights answers for each case, as the gates may see it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.measure.logits import MEASURE_BATCH, measure

__all__ = ["MEASURE_BATCH", "measure"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}.logits"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
