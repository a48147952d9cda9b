"""The boundary search: for each case the nearest other answer of a frozen network, and how near it is.

`search` walks, `steps` is the arithmetic of one step, `noise` what it draws; `labels` is what was found and what is
taught for it, `cache` keeps it, `reference` is the search of the method's reference code. Names are resolved when
they are first used, so that `options` is read without torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maintain.unlearn.boundary.options import (
    Anneal,
    BoundaryOptions,
    StepRule,
    TargetKind,
    projected_steps,
    reference_options,
    single_step,
)

if TYPE_CHECKING:
    from maintain.unlearn.boundary.cache import BoundaryCache, Kept, boundary_key
    from maintain.unlearn.boundary.labels import Boundary, joined, targets_of
    from maintain.unlearn.boundary.search import search_boundary

__all__ = [
    "Anneal",
    "Boundary",
    "BoundaryCache",
    "BoundaryOptions",
    "Kept",
    "StepRule",
    "TargetKind",
    "boundary_key",
    "joined",
    "projected_steps",
    "reference_options",
    "search_boundary",
    "single_step",
    "targets_of",
]

#: Module of this package -> the names it gives to the front door; `options` has none of torch and is read at once.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "cache": ("BoundaryCache", "Kept", "boundary_key"),
    "labels": ("Boundary", "joined", "targets_of"),
    "search": ("search_boundary",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
