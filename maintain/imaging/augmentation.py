"""Every augmentation that a recipe may name, as a table that is read without torch.

A name carries its version, because a recipe together with a manifest must be enough to train again:
a version's numbers never change, and what would change them is a new version.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from maintain.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import Generator, Tensor

#: (batch, generator) -> a batch of the same type, shape and device. A batch is stored pixels, uint8 [N, H, W, C],
#: or float [N, C, H, W] in [0, 1]. The draws depend on the generator and the number of images alone.
Augment: TypeAlias = "Callable[[Tensor, Generator], Tensor]"

#: Images as they are.
NO_AUGMENTATION = "none"


@dataclass(frozen=True, slots=True)
class AugmentationEntry:
    """One augmentation: its name with its version, what it does, and where it is (`module:function`)."""

    name: str
    doc: str
    run: str


_ENTRIES = (
    AugmentationEntry(NO_AUGMENTATION, "Images as they are.", "maintain.imaging.distortions:unchanged"),
    AugmentationEntry(
        "flip@1",
        "Left to right, every second image. Not where the side is what is learned.",
        "maintain.imaging.distortions:flip",
    ),
    AugmentationEntry(
        "crop@1",
        "Four black pixels on every side, then a window of the old size anywhere in it.",
        "maintain.imaging.distortions:crop",
    ),
    AugmentationEntry(
        "crop-flip@1",
        "`crop@1` and `flip@1`: the usual one of 32-pixel photographs.",
        "maintain.imaging.distortions:crop_flip",
    ),
    AugmentationEntry(
        "medical@1",
        "Left to right every second image, turned by up to 15 degrees, moved by up to an eighth of each side "
        "(black comes in), brightness, contrast and saturation by up to a fifth.",
        "maintain.imaging.distortions:medical",
    ),
)

AUGMENTATIONS: Mapping[str, AugmentationEntry] = {entry.name: entry for entry in _ENTRIES}


def augmentation_entry(name: str) -> AugmentationEntry:
    """The row of that name. Raises `UnknownNameError` with the known ones."""
    if name not in AUGMENTATIONS:
        raise UnknownNameError("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]


def load_augmentation(name: str) -> Augment:
    """The augmentation of that name, ready to be applied. Raises `UnknownNameError` with the known ones."""
    module, _, function = augmentation_entry(name).run.partition(":")
    return cast("Augment", getattr(importlib.import_module(module), function))
