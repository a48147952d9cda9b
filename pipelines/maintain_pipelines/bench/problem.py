"""The problem on which the verifier is tried: one that a small network memorises, and that parts can be taken from.

Two classes of smooth pattern under noise, one label in five wrong, patients of two to six images, four scanners.
Whoever learns a wrong label can only have memorised it, so a leak is certain and can be measured; a scanner that
shows the pattern otherwise makes a model that never saw it differ from one that did. `held_by` says what a
champion must show before anything is tried on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.imaging import Blueprint, MemoryPixels, default_chain
from maintain.records import Network, PlannedCase, Recipe, RoleTable
from maintain.unlearn import default_recipe
from maintain.vocabulary import Head, Role, Split

#: Sides of an image: the smallest at which the network still has a map to flatten.
SIDE = 16

#: The classes. Two, so that a wrong label is simply the other one.
LABELS = ("fine", "coarse")

#: Patients: about 1,000 forgotten and 2,300 never-seen cases, 1,900 retained to learn and 4,200 to judge by. Two
#: trainings disagree on a quarter of the new cases, so that with half as many to judge by the retention of two honest
#: retrains in five was not shown.
PATIENTS = 2500

#: Images of a patient: from the first up to, but without, the second (the clusters of the power study).
IMAGES = (2, 7)

#: Share of patients to learn from, to select with, and held out.
SPLITS = ((Split.TRAIN, 0.295), (Split.VALIDATION, 0.05), (Split.HOLDOUT, 0.655))

#: Share of patients of the recalled study: the forget group of the claims `examples` and `never-saw`.
RECALLED = 0.35

#: Share of labels that are wrong (power study, section 1: "strong").
WRONG = 0.20

#: Scanners with their share of patients and their mean colour, all equally bright: patients are clusters, and chance
#: alone would tell arms of few patients apart. The first is withdrawn, the last is the subgroup.
SCANNERS = (
    ("A", 0.25, (122.0, 112.0, 108.0)),
    ("B", 0.25, (127.0, 106.0, 109.0)),
    ("C", 0.25, (116.0, 120.0, 106.0)),
    ("D", 0.25, (134.0, 84.0, 124.0)),
)

#: The scanner that the claim `group` withdraws, and the one on whose cases an impostor pays for the others: it looks
#: unlike the others, so that a network can learn to treat it differently.
WITHDRAWN, SUBGROUP = "A", "D"

#: Height of the pattern and of the noise, in grey values: a network is right in about seven of ten new cases.
SIGNAL, NOISE = 15.0, 34.0

#: How the withdrawn scanner shows the pattern: faint and inverted where others show it, plainly in another channel.
INVERTED, ELSEWHERE = -0.3, 1.2

#: Height of what is each patient's own, in grey values.
TEXTURE = 6.0

#: Passes, batch and peak rate: enough to learn every training case by heart in about two seconds.
EPOCHS, BATCH, RATE = 16, 128, 0.1

#: Waves along a side that a smooth pattern is made of.
_WAVES = 3

Images: TypeAlias = NDArray[np.uint8]
Belongs: TypeAlias = Callable[["BenchCase"], bool]


@dataclass(frozen=True, slots=True)
class BenchCase:
    """One image: whose it is, what it is called, where it was taken and what it may be used for."""

    case_id: str
    patient: str
    label: str
    scanner: str
    recalled: bool
    split: Split
    pixels: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Cases with their pixels, and the network that learns them. `recalled` and `withdrawn` are its two groups."""

    name: str
    seed: int
    blueprint: Blueprint
    cases: tuple[BenchCase, ...]
    pixels: MemoryPixels
    epochs: int
    batch_size: int
    learning_rate: float

    def recipe(self, seed: int) -> Recipe:
        """How this problem is learned."""
        recipe = default_recipe(seed=seed, epochs=self.epochs)
        return replace(recipe, batch_size=self.batch_size, learning_rate=self.learning_rate)

    def roles(self, forget: Belongs) -> RoleTable:
        """Every case with its role in a plan that forgets this group."""
        rows = (_planned(case, matched=forget(case)) for case in self.cases)
        return RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))


def recalled(case: BenchCase) -> bool:
    """The forget group of the claims `examples` and `never-saw`: patients like all others."""
    return case.recalled


def withdrawn(case: BenchCase) -> bool:
    """The forget group of the claim `group`: every case of one scanner."""
    return case.scanner == WITHDRAWN


def separable(seed: int, *, patients: int = PATIENTS) -> Problem:
    """The separable problem of a seed; equal seeds draw equal pixels."""
    draw = np.random.default_rng([seed, 16])
    cases, images = _draw(draw, patients)
    pixels = MemoryPixels()
    kept = tuple(replace(case, pixels=pixels.put(image)) for case, image in zip(cases, images, strict=True))
    blueprint = Blueprint(Network("small-bn"), (3, SIDE, SIDE), Head.SOFTMAX, LABELS, default_chain(SIDE))
    return Problem("separable", seed, blueprint, kept, pixels, EPOCHS, BATCH, RATE)


# --- private ---------------------------------------------------------------------------------------

_ROLES = {
    (Split.TRAIN, True): Role.FORGET,
    (Split.TRAIN, False): Role.RETAIN,
    (Split.VALIDATION, True): Role.NEVER_SEEN_VALIDATION,
    (Split.VALIDATION, False): Role.VALIDATION,
    (Split.HOLDOUT, True): Role.NEVER_SEEN,
    (Split.HOLDOUT, False): Role.HOLDOUT,
}


def _planned(case: BenchCase, *, matched: bool) -> PlannedCase:
    role = _ROLES[case.split, matched]
    return PlannedCase(case.case_id, 1, case.label, case.patient, case.pixels, role, "bench")


def _draw(draw: np.random.Generator, patients: int) -> tuple[list[BenchCase], Images]:
    owner = np.repeat(np.arange(patients), draw.integers(*IMAGES, patients))
    number = len(owner)
    scanner = draw.choice(len(SCANNERS), patients, p=[share for _, share, _ in SCANNERS])[owner]
    split = draw.choice(len(SPLITS), patients, p=[share for _, share in SPLITS])[owner]
    back = (draw.random(patients) < RECALLED)[owner]
    truth = draw.integers(0, len(LABELS), number)
    label = np.where(draw.random(number) < WRONG, 1 - truth, truth)
    images = _images(draw, owner, scanner, truth, patients)
    cases = [
        BenchCase(
            case_id=f"case-{place:05d}",
            patient=f"patient-{owner[place]:04d}",
            label=LABELS[label[place]],
            scanner=SCANNERS[scanner[place]][0],
            recalled=bool(back[place]),
            split=SPLITS[split[place]][0],
            pixels="",
        )
        for place in range(number)
    ]
    return cases, images


def _images(
    draw: np.random.Generator,
    owner: NDArray[np.int64],
    scanner: NDArray[np.int64],
    truth: NDArray[np.int64],
    patients: int,
) -> Images:
    number = len(owner)
    shapes, others = _patterns(draw, len(LABELS)), _patterns(draw, len(LABELS))
    height = (SIGNAL * draw.normal(1.0, 0.25, number))[:, None, None]
    odd = (np.array([name for name, _, _ in SCANNERS])[scanner] == WITHDRAWN)[:, None, None]
    shown, elsewhere = shapes[truth] * height, others[truth] * height
    images = np.array([colour for _, _, colour in SCANNERS])[scanner][:, None, None, :] + np.zeros(
        (number, SIDE, SIDE, 3)
    )
    images += (TEXTURE * _patterns(draw, patients)[owner])[..., None]
    images[..., 0] += np.where(odd, INVERTED * shown, shown)
    images[..., 1] += np.where(odd, 0.0, 0.5 * shown)
    images[..., 2] += np.where(odd, ELSEWHERE * elsewhere, 0.0)
    images += draw.normal(0.0, NOISE, images.shape)
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)


def _patterns(draw: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Smooth patterns of mean zero and spread one: a few cosines with drawn heights."""
    places = np.arange(SIDE) / SIDE
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None] * places)
    patterns = np.einsum("kab,ay,bx->kyx", draw.normal(size=(count, _WAVES, _WAVES)), waves, waves)
    patterns -= patterns.mean(axis=(1, 2), keepdims=True)
    normed: NDArray[np.float64] = patterns / patterns.std(axis=(1, 2), keepdims=True)
    return normed
