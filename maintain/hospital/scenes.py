"""What is in front of the camera: one eye's anatomy and the lesions a picture of it will show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Lower-case words a reader would chart; the order is the drawing order, not a severity.
DIAGNOSES: tuple[str, ...] = ("atrophy", "drusen", "haemorrhage")

#: Lesion radii in sides: small ones are 3 to 4 pixels of 32, large ones 7 to 9. Size and hue separate
#: atrophy from drusen, and colour alone separates drusen from haemorrhage.
SMALL_RADIUS = (0.09, 0.126)
LARGE_RADIUS = (0.21, 0.294)
RADII: dict[str, tuple[float, float]] = {
    "atrophy": LARGE_RADIUS,
    "drusen": SMALL_RADIUS,
    "haemorrhage": SMALL_RADIUS,
}

#: Lesion visibility: mean and spread (it makes the hard cases) at difficulty 1, and the mean at 0.
AMPLITUDE_MEAN = 0.90
AMPLITUDE_SD = 0.35
EASY_AMPLITUDE_MEAN = 1.40
#: A diagnosed lesion is never quite invisible: below this a label would be noise under another name.
FAINTEST_AMPLITUDE = 0.40
#: Mean number of lesions of another kind in a picture, and how visible they are against the charted one.
DISTRACTOR_RATE = 0.3
DISTRACTOR_STRENGTH = 0.20
#: Fixation moves the eye between two pictures by this much (sides, standard deviation); lesions move with it.
JITTER = 0.08
#: The flash and the colour of its light vary from picture to picture: standard deviations of factors
#: around 1. With the pigmentation of persons and the casts of the two other cameras it keeps a network from
#: reading a diagnosis out of brightness alone, which an unknown camera would turn into one single answer.
FLASH_SD, HUE_SD = 0.04, 0.03
#: Lesions lie within this distance of the centre (sides), inside every camera's field.
LESION_REACH = 0.30


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """The anatomy of one eye, in sides around the centre; a left eye is mirrored when painted."""

    left: bool
    variant: bool
    pigment: float
    disc_x: float
    disc_y: float
    disc_radius: float
    disc_stretch: float
    disc_angle: float
    arcade: float
    stripe_angle: float
    stripe_period: float
    stripe_phase: float
    texture: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One lesion: its kind (a diagnosis), its visibility, its radius and its place in sides."""

    kind: str
    amplitude: float
    radius: float
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a picture shows: an eye, its lesions (the charted one first), gaze, light, grain."""

    anatomy: Anatomy
    lesions: tuple[Lesion, ...]
    gaze_x: float
    gaze_y: float
    light: tuple[float, float, float]
    grain: int


def draw_anatomy(rng: np.random.Generator, *, left: bool, variant: bool, pigment: float) -> Anatomy:
    """Draw one eye; a variant has a displaced, tilted disc and a striped (tessellated) background."""
    displaced = 0.08 if variant else 0.0
    return Anatomy(
        left=left,
        variant=variant,
        pigment=pigment,
        disc_x=float(rng.normal(0.26 + displaced, 0.015)),
        disc_y=float(rng.normal(-1.5 * displaced, 0.02)),
        disc_radius=float(rng.uniform(0.075, 0.095)),
        disc_stretch=float(rng.uniform(1.5, 1.9)) if variant else float(rng.uniform(0.95, 1.1)),
        disc_angle=float(rng.uniform(0.5, 1.1)),
        arcade=float(rng.uniform(0.40, 0.52)),
        stripe_angle=float(rng.uniform(0.2, 1.0)),
        stripe_period=float(rng.uniform(0.12, 0.17)),
        stripe_phase=float(rng.uniform(0.0, 2.0 * np.pi)),
        texture=int(rng.integers(2**31)),
    )


def draw_scene(rng: np.random.Generator, anatomy: Anatomy, diagnosis: str, *, difficulty: float) -> Scene:
    """Draw one picture's content: the charted lesion, some distractors, a gaze."""
    mean = EASY_AMPLITUDE_MEAN + difficulty * (AMPLITUDE_MEAN - EASY_AMPLITUDE_MEAN)
    amplitude = max(FAINTEST_AMPLITUDE, float(rng.normal(mean, difficulty * AMPLITUDE_SD)))
    lesions = [_draw_lesion(rng, diagnosis, amplitude)]
    others = [kind for kind in DIAGNOSES if kind != diagnosis]
    for _ in range(int(rng.poisson(difficulty * DISTRACTOR_RATE))):
        strength = DISTRACTOR_STRENGTH * float(rng.uniform(0.5, 1.5))
        lesions.append(_draw_lesion(rng, others[int(rng.integers(len(others)))], strength))
    gaze = rng.normal(0.0, difficulty * JITTER, size=2)
    light = rng.normal(1.0, FLASH_SD) * rng.normal(1.0, HUE_SD, size=3)
    return Scene(
        anatomy=anatomy,
        lesions=tuple(lesions),
        gaze_x=float(gaze[0]),
        gaze_y=float(gaze[1]),
        light=(float(light[0]), float(light[1]), float(light[2])),
        grain=int(rng.integers(2**31)),
    )


def _draw_lesion(rng: np.random.Generator, kind: str, amplitude: float) -> Lesion:
    """Place one lesion uniformly in the reachable part of the retina."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    distance = LESION_REACH * np.sqrt(rng.uniform())
    return Lesion(
        kind=kind,
        amplitude=amplitude,
        radius=float(rng.uniform(*RADII[kind])),
        x=float(distance * np.cos(angle)),
        y=float(distance * np.sin(angle)),
    )
