"""The imaging room: pixels to tensors, networks by name, weights by digest, and the counting loader.

Names are resolved when they are first used, so that the table of networks is read without torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.imaging.batches import batch_bounds, batches_per_epoch
    from maintain.imaging.blueprint import Blueprint, blueprint_of
    from maintain.imaging.compute import deterministic, pick_device, seeded, threads
    from maintain.imaging.heads import HeadRule, head_rule
    from maintain.imaging.loader import CaseLoader, LoaderCase, LoaderState
    from maintain.imaging.networks import NETWORKS, NetworkEntry, build_network, check_network, network_entry
    from maintain.imaging.pixels import MemoryPixels, PixelSource, load_images
    from maintain.imaging.synthetic import ANSWER_TOLERANCE, answers_apart, synthetic_answers
    from maintain.imaging.toy import Toy, toy_problem
    from maintain.imaging.transforms import STEPS, Chain, StepEntry, default_chain
    from maintain.imaging.weights import (
        State,
        all_finite,
        fill,
        load_model,
        load_weights,
        model_of,
        non_finite,
        read_weights,
        read_weights_bytes,
        save_weights,
        state_of,
        weights_digest,
    )

__all__ = [
    "ANSWER_TOLERANCE",
    "NETWORKS",
    "STEPS",
    "Blueprint",
    "CaseLoader",
    "Chain",
    "HeadRule",
    "LoaderCase",
    "LoaderState",
    "MemoryPixels",
    "NetworkEntry",
    "PixelSource",
    "State",
    "StepEntry",
    "Toy",
    "all_finite",
    "answers_apart",
    "batch_bounds",
    "batches_per_epoch",
    "blueprint_of",
    "build_network",
    "check_network",
    "default_chain",
    "deterministic",
    "fill",
    "head_rule",
    "load_images",
    "load_model",
    "load_weights",
    "model_of",
    "network_entry",
    "non_finite",
    "pick_device",
    "read_weights",
    "read_weights_bytes",
    "save_weights",
    "seeded",
    "state_of",
    "synthetic_answers",
    "threads",
    "toy_problem",
    "weights_digest",
]

#: Module of this package -> the names it gives to the front door.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "batches": ("batch_bounds", "batches_per_epoch"),
    "blueprint": ("Blueprint", "blueprint_of"),
    "compute": ("deterministic", "pick_device", "seeded", "threads"),
    "heads": ("HeadRule", "head_rule"),
    "loader": ("CaseLoader", "LoaderCase", "LoaderState"),
    "networks": ("NETWORKS", "NetworkEntry", "build_network", "check_network", "network_entry"),
    "pixels": ("MemoryPixels", "PixelSource", "load_images"),
    "synthetic": ("ANSWER_TOLERANCE", "answers_apart", "synthetic_answers"),
    "toy": ("Toy", "toy_problem"),
    "transforms": ("STEPS", "Chain", "StepEntry", "default_chain"),
    "weights": (
        "State",
        "all_finite",
        "fill",
        "load_model",
        "load_weights",
        "model_of",
        "non_finite",
        "read_weights",
        "read_weights_bytes",
        "save_weights",
        "state_of",
        "weights_digest",
    ),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
