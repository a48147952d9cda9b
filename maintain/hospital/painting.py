"""From a scene to pixels: a small fundus photograph, as one camera would have taken it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maintain.hospital.cameras import Camera
from maintain.hospital.scenes import Anatomy, Lesion, Scene

Floats = NDArray[np.float64]

#: Colours are red, green, blue in [0, 1]; chosen by looking at contact sheets of the result.
RETINA = np.array([0.66, 0.34, 0.17])
DISC = np.array([0.24, 0.34, 0.26])
VESSEL = np.array([-0.16, -0.14, -0.05])
MACULA = np.array([-0.13, -0.10, -0.04])
STRIPE = np.array([0.073, 0.061, 0.040])
#: What one unit of amplitude adds amid a lesion: drusen are yellow, blood is dark, atrophy is pale.
LESION_COLOURS: dict[str, Floats] = {
    "atrophy": np.array([0.36, 0.48, 0.41]),
    "drusen": np.array([0.43, 0.62, 0.11]),
    "haemorrhage": np.array([-0.73, -0.48, -0.11]),
}
#: The round field: its radius in sides and the width of its soft edge.
FIELD_RADIUS = 0.47
FIELD_EDGE = 0.012
#: How much darker the retina is at the rim of the field than in its middle.
VIGNETTE = 0.30
#: Standard deviation of the smooth background texture of an eye, and of the grain of one picture.
TEXTURE_SD = 0.03
GRAIN_SD = 0.02
#: The texture is drawn on this many cells a side and interpolated: blotches of about four pixels of 32.
TEXTURE_CELLS = 9
#: The fovea lies about two and a half disc diameters beside the disc.
FOVEA_OFFSET = -0.30


def paint(scene: Scene, camera: Camera, *, side: int, shift: float) -> NDArray[np.uint8]:
    """Return the picture [side, side, 3] of a scene; equal scenes and cameras give equal pixels."""
    right = np.broadcast_to((np.arange(side) + 0.5) / side - 0.5, (side, side))
    down = right.T
    zoom = camera.zoom(shift=shift)
    mirror = -1.0 if scene.anatomy.left else 1.0
    x = mirror * (right * zoom) - scene.gaze_x
    y = down * zoom - scene.gaze_y
    retina = _paint_anatomy(scene.anatomy, x, y)
    for lesion in scene.lesions:
        retina += _paint_lesion(lesion, x, y)
    radius = np.hypot(right, down)
    retina *= np.asarray(scene.light) * (1.0 - VIGNETTE * (radius / FIELD_RADIUS) ** 2)[..., None]
    grain = np.random.default_rng(scene.grain).normal(0.0, GRAIN_SD, size=(side, side, 3))
    seen = (camera.see(retina, shift=shift) + grain) * _field(radius, down, camera, shift)[..., None]
    return np.rint(np.clip(seen, 0.0, 1.0) * 255.0).astype(np.uint8)


def _field(radius: Floats, down: Floats, camera: Camera, shift: float) -> Floats:
    """Return the camera's round field, 1 inside and 0 outside, with a soft edge."""
    flat = 0.5 + shift * (camera.flat - 0.5)
    inside = np.minimum(FIELD_RADIUS - radius, flat - np.abs(down))
    return np.clip(0.5 + inside / (2.0 * FIELD_EDGE), 0.0, 1.0)


def _paint_anatomy(anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Return the retina without lesions: background, macula, vessels, disc and, for a variant, stripes."""
    retina = anatomy.pigment * (RETINA + _texture(anatomy, x, y)[..., None])
    macula = np.exp(-((x - anatomy.disc_x - FOVEA_OFFSET) ** 2 + y**2) / (2.0 * 0.07**2))
    retina += macula[..., None] * MACULA
    retina += _vessels(anatomy, x, y)[..., None] * VESSEL
    if anatomy.variant:
        along = x * np.cos(anatomy.stripe_angle) + y * np.sin(anatomy.stripe_angle)
        stripes = np.sin(2.0 * np.pi * along / anatomy.stripe_period + anatomy.stripe_phase)
        retina += stripes[..., None] * STRIPE
    retina += _disc(anatomy, x, y)[..., None] * DISC
    return retina


def _disc(anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Return the optic disc: a stretched, turned ellipse with a soft rim."""
    right, down = x - anatomy.disc_x, y - anatomy.disc_y
    along = right * np.cos(anatomy.disc_angle) + down * np.sin(anatomy.disc_angle)
    across = down * np.cos(anatomy.disc_angle) - right * np.sin(anatomy.disc_angle)
    distance = np.hypot(along / anatomy.disc_stretch, across)
    return np.asarray(np.exp(-((distance / anatomy.disc_radius) ** 4)))


def _vessels(anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Return both arcades, the branches of a parabola that leaves the disc towards the macula."""
    behind = np.maximum(anatomy.disc_x - x, 0.0)
    off = np.abs(y - anatomy.disc_y) - anatomy.arcade * np.sqrt(behind)
    return np.exp(-(off**2) / (2.0 * 0.016**2))


def _texture(anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Return the eye's own blotches, the same in every picture of it and moving with its gaze."""
    cells = np.random.default_rng(anatomy.texture).normal(0.0, TEXTURE_SD, size=(TEXTURE_CELLS, TEXTURE_CELLS))
    last = TEXTURE_CELLS - 1
    column = np.clip((x + 0.7) / 1.4 * last, 0.0, last - 1e-9)
    row = np.clip((y + 0.7) / 1.4 * last, 0.0, last - 1e-9)
    left, top = column.astype(np.intp), row.astype(np.intp)
    across, down = column - left, row - top
    upper = cells[top, left] * (1.0 - across) + cells[top, left + 1] * across
    lower = cells[top + 1, left] * (1.0 - across) + cells[top + 1, left + 1] * across
    return upper * (1.0 - down) + lower * down


def _paint_lesion(lesion: Lesion, x: Floats, y: Floats) -> Floats:
    """Return what a lesion adds to the retina: a blot with a soft rim."""
    squared = ((x - lesion.x) ** 2 + (y - lesion.y) ** 2) / lesion.radius**2
    blot = lesion.amplitude * np.exp(-(squared**1.5))
    return blot[..., None] * LESION_COLOURS[lesion.kind]
