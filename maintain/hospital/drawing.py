"""The hospital in memory: pixels and truth, without a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maintain.hospital.options import HospitalOptions
from maintain.hospital.painting import paint
from maintain.hospital.population import Shot, draw_population
from maintain.hospital.truth import TruthRow


def draw_hospital(options: HospitalOptions) -> tuple[NDArray[np.uint8], tuple[TruthRow, ...]]:
    """Pixels [images, side, side, 3] and, row for row, their truth: what `build_hospital` would write."""
    shots, _ = draw_population(options)
    return np.stack([paint_shot(shot, options) for shot in shots]), tuple(shot.truth for shot in shots)


def paint_shot(shot: Shot, options: HospitalOptions) -> NDArray[np.uint8]:
    """The pixels [side, side, 3] of one image."""
    return paint(shot.scene, shot.camera, side=options.side, shift=options.camera_shift)
