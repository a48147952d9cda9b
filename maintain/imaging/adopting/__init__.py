"""Models that were trained elsewhere: their weights read once, at arm's length, and fitted to a network we build.

Nothing here decides whether a model may serve; it says what the weights are, or why they are none of this network.
"""

from __future__ import annotations

from maintain.imaging.adopting.arrays import Levels, levels_of, read_array, shape_after
from maintain.imaging.adopting.chains import NamedTransform, chain_of, known_transforms
from maintain.imaging.adopting.fitting import Fitted, fit_state
from maintain.imaging.adopting.foreign import read_foreign
from maintain.imaging.adopting.keys import KeyMap, key_map

__all__ = [
    "Fitted",
    "KeyMap",
    "Levels",
    "NamedTransform",
    "chain_of",
    "fit_state",
    "key_map",
    "known_transforms",
    "levels_of",
    "read_array",
    "read_foreign",
    "shape_after",
]
