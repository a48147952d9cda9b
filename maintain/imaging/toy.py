"""A problem that a small network learns in a second: the toy that ships for tests and for trying a machine.

Three classes, one bright third of the image each; noise decides the rest. Two images a patient, so
that everything that groups by patient has something to group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maintain.hashing import Digest, digest_bytes
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.pixels import MemoryPixels
from maintain.imaging.transforms import default_chain
from maintain.records import ModelSpec, Network, PlannedCase, Recipe
from maintain.vocabulary import Head, Role

#: The classes of the toy.
_LABELS = ("left", "middle", "right")
#: Brightest noise and what a bright third adds to it; together still 8 bits.
_NOISE, _LIFT = 160, 90


@dataclass(frozen=True, slots=True)
class Toy:
    """A blueprint, cases with roles, and their pixels."""

    blueprint: Blueprint
    rows: tuple[PlannedCase, ...]
    pixels: MemoryPixels

    def spec(self, *, recipe: Recipe | None = None, manifest: Digest = "") -> ModelSpec:
        """The blueprint as the spec of a model called `toy`."""
        return ModelSpec(
            model="toy",
            network=self.blueprint.network,
            input_shape=self.blueprint.input_shape,
            head=self.blueprint.head,
            label_name="bright",
            label_order=self.blueprint.label_order,
            operating_threshold=None,
            preprocessing=self.blueprint.preprocessing,
            recipe=recipe,
            manifest=manifest or digest_bytes(b"toy"),
        )


def toy_problem(*, seed: int = 0, roles: Sequence[tuple[Role, int]] = ((Role.RETAIN, 48),), side: int = 16) -> Toy:
    """So many cases of each role; equal arguments draw equal pixels."""
    draw = np.random.default_rng(seed)
    pixels = MemoryPixels()
    rows: list[PlannedCase] = []
    for role, count in roles:
        for _ in range(count):
            number = len(rows)
            place = number % len(_LABELS)
            digest = pixels.put(_image(draw, place, side))
            patient = f"patient-{number // 2:04d}"
            rows.append(PlannedCase(f"case-{number:04d}", 1, _LABELS[place], patient, digest, role, "toy"))
    blueprint = Blueprint(Network("small-bn"), (3, side, side), Head.SOFTMAX, _LABELS, default_chain(side))
    return Toy(blueprint, tuple(rows), pixels)


# --- private ---------------------------------------------------------------------------------------


def _image(draw: np.random.Generator, place: int, side: int) -> NDArray[np.uint8]:
    image = draw.integers(0, _NOISE, (side, side, 3), dtype=np.uint8)
    third = side // len(_LABELS)
    image[:, place * third : (place + 1) * third] += np.uint8(_LIFT)
    return image
