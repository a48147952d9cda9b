"""The measuring room: what a set of weights answers for each case, as the gates may see it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.measure.asking import MEASURE_BATCH
    from maintain.measure.features import BLOCKS, ImageFeatures, image_features, last_hidden
    from maintain.measure.logits import measure
    from maintain.measure.recalibration import recalibrated

__all__ = [
    "BLOCKS",
    "MEASURE_BATCH",
    "ImageFeatures",
    "image_features",
    "last_hidden",
    "measure",
    "recalibrated",
]

#: Where each name lives; all bring torch, so all wait for their first use.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "asking": ("MEASURE_BATCH",),
    "features": ("BLOCKS", "ImageFeatures", "image_features", "last_hidden"),
    "logits": ("measure",),
    "recalibration": ("recalibrated",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
