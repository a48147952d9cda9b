"""The three fundus cameras: who made them, what their headers say, and how each one sees a retina."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Grey level that a camera's contrast turns around: roughly the mean of a fundus inside its round field.
MID_GREY = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One device of the hospital: its header facts and its optics.

    `share` is the share of patients whose clinic owns it. `cast` multiplies red, green and blue, `swap`
    is how much of red and green leak into each other, `field` the width of its view (1 sees the plain
    scene) and `flat` where its round field is cut off above and below, in sides (0.5 cuts nothing).
    """

    manufacturer: str
    model: str
    serial: str
    software: tuple[str, ...]
    station: str
    institution: str
    field_of_view_degrees: float
    share: float
    cast: tuple[float, float, float]
    swap: float
    contrast: float
    field: float
    flat: float

    def see(self, retina: NDArray[np.float64], *, shift: float) -> NDArray[np.float64]:
        """Return the retina [side, side, 3] in this camera's colours; `shift` 0 is one neutral camera."""
        contrast = 1.0 + shift * (self.contrast - 1.0)
        swap = shift * self.swap
        seen = MID_GREY + contrast * (retina - MID_GREY)
        red, green = seen[..., 0].copy(), seen[..., 1].copy()
        seen[..., 0] = (1.0 - swap) * red + swap * green
        seen[..., 1] = (1.0 - swap) * green + swap * red
        return seen * (1.0 + shift * (np.asarray(self.cast) - 1.0))

    def zoom(self, *, shift: float) -> float:
        """Return how many sides of the scene one side of the picture shows."""
        return 1.0 + shift * (self.field - 1.0)


#: The names are invented. "Cirrus 800 FA" is the withdrawn device of the example policies: darker and greener
#: than the plain scene (the strongest cast), with the least contrast and the narrowest view. A network that
#: never saw it is visibly worse on it (measured in benchmarks/hospital_memorises.py). Its cast is balanced on
#: purpose: a bluer or greyer one looks like atrophy, a yellower one like drusen, and then a network that never
#: saw it gives nearly all its pictures that name.
CIRRUS = Camera(
    manufacturer="Northlight Ophthalmics",
    model="Cirrus 800 FA",
    serial="NL8-20417",
    software=("4.2.1", "RetinaView 2.0"),
    station="EYE-CIRRUS-1",
    institution="Elmford Eye Clinic",
    field_of_view_degrees=40.0,
    share=0.30,
    cast=(0.87, 0.99, 0.91),
    swap=0.06,
    contrast=0.94,
    field=0.92,
    flat=0.50,
)
RETIVUE = Camera(
    manufacturer="Halden Optik",
    model="Retivue NM-45",
    serial="HO-45-00931",
    software=("7.1", "Capture 7.1.3"),
    station="OPH-NM45-A",
    institution="Saltmarsh General Hospital",
    field_of_view_degrees=45.0,
    share=0.35,
    cast=(1.0, 1.01, 1.06),
    swap=0.03,
    contrast=0.97,
    field=1.0,
    flat=0.50,
)
AURORA = Camera(
    manufacturer="Sorrel Imaging",
    model="Aurora FC-3",
    serial="SI3-7731-22",
    software=("1.9.0-rc2", "AuroraStore 3.3"),
    station="FUNDUS-03",
    institution="Bridge Street Screening Centre",
    field_of_view_degrees=50.0,
    share=0.35,
    cast=(1.06, 0.96, 0.88),
    swap=0.0,
    contrast=1.05,
    field=1.08,
    flat=0.43,
)

CAMERAS: tuple[Camera, ...] = (CIRRUS, RETIVUE, AURORA)


def camera_shares(withdrawn: float) -> tuple[float, ...]:
    """The share of patients of each camera when the first, which policies withdraw, has this one."""
    others = (1.0 - withdrawn) / (1.0 - CIRRUS.share)
    return (withdrawn, *(camera.share * others for camera in CAMERAS[1:]))
