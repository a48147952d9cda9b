"""The imaging room: pixels to tensors, networks by name, weights by digest, and the counting loader.

Names are resolved when they are first used, so that the table of networks is read without torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.imaging.augmentation import (
        AUGMENTATIONS,
        NO_AUGMENTATION,
        Augment,
        AugmentationEntry,
        augmentation_entry,
        load_augmentation,
    )
    from maintain.imaging.bank import ImageBank, ResidentBank, StreamingBank, bank_for
    from maintain.imaging.batches import batch_bounds, batches_per_epoch
    from maintain.imaging.blueprint import Blueprint, blueprint_of
    from maintain.imaging.compute import (
        channels_last,
        check_precision,
        deterministic,
        pick_device,
        precision,
        seeded,
        threads,
    )
    from maintain.imaging.heads import HeadRule, head_rule
    from maintain.imaging.loader import CaseLoader, LoaderCase, LoaderState
    from maintain.imaging.networks import (
        NETWORKS,
        NetworkEntry,
        build_network,
        check_network,
        network_entry,
        network_of,
    )
    from maintain.imaging.pixels import MemoryPixels, PixelSource, load_images
    from maintain.imaging.stages import Layers, Stage, depth_of, last_stages, moving, reset_stages, stages_of
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
    "AUGMENTATIONS",
    "NETWORKS",
    "NO_AUGMENTATION",
    "STEPS",
    "Augment",
    "AugmentationEntry",
    "Blueprint",
    "CaseLoader",
    "Chain",
    "HeadRule",
    "ImageBank",
    "Layers",
    "LoaderCase",
    "LoaderState",
    "MemoryPixels",
    "NetworkEntry",
    "PixelSource",
    "ResidentBank",
    "Stage",
    "State",
    "StepEntry",
    "StreamingBank",
    "Toy",
    "all_finite",
    "answers_apart",
    "augmentation_entry",
    "bank_for",
    "batch_bounds",
    "batches_per_epoch",
    "blueprint_of",
    "build_network",
    "channels_last",
    "check_network",
    "check_precision",
    "default_chain",
    "depth_of",
    "deterministic",
    "fill",
    "head_rule",
    "last_stages",
    "load_augmentation",
    "load_images",
    "load_model",
    "load_weights",
    "model_of",
    "moving",
    "network_entry",
    "network_of",
    "non_finite",
    "pick_device",
    "precision",
    "read_weights",
    "read_weights_bytes",
    "reset_stages",
    "save_weights",
    "seeded",
    "stages_of",
    "state_of",
    "synthetic_answers",
    "threads",
    "toy_problem",
    "weights_digest",
]

#: Module of this package -> the names it gives to the front door.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "augmentation": (
        "AUGMENTATIONS",
        "NO_AUGMENTATION",
        "Augment",
        "AugmentationEntry",
        "augmentation_entry",
        "load_augmentation",
    ),
    "bank": ("ImageBank", "ResidentBank", "StreamingBank", "bank_for"),
    "batches": ("batch_bounds", "batches_per_epoch"),
    "blueprint": ("Blueprint", "blueprint_of"),
    "compute": (
        "channels_last",
        "check_precision",
        "deterministic",
        "pick_device",
        "precision",
        "seeded",
        "threads",
    ),
    "heads": ("HeadRule", "head_rule"),
    "loader": ("CaseLoader", "LoaderCase", "LoaderState"),
    "networks": ("NETWORKS", "NetworkEntry", "build_network", "check_network", "network_entry", "network_of"),
    "pixels": ("MemoryPixels", "PixelSource", "load_images"),
    "stages": ("Layers", "Stage", "depth_of", "last_stages", "moving", "reset_stages", "stages_of"),
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
