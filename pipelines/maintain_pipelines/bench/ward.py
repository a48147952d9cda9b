"""The synthetic hospital as a second problem: less separable, closer to images that clinics have.

The variant anatomy is recalled and the withdrawn camera is the scanner that goes, as in the example policies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maintain.hospital import HospitalOptions, TruthRow, draw_hospital
from maintain.imaging import Blueprint, MemoryPixels, default_chain
from maintain.records import Network
from maintain.vocabulary import Head, Split
from maintain_pipelines.bench.problem import BATCH, EPOCHS, RATE, SUBGROUP, WITHDRAWN, BenchCase, Problem

#: The withdrawn device of the example policies.
CAMERA = "Cirrus 800 FA"

#: Of 1,300 patients, those to learn from and those to select with; the rest is held out (power study, section 5).
TRAIN, VALIDATION = 600, 100


def hospital(seed: int, *, times: int = 1) -> Problem:
    """The hospital of a seed without duplicates, split by a seeded order of its patients; so many times its size."""
    options = HospitalOptions(seed=seed, duplicates=0)
    images, truth = draw_hospital(replace(options, patients=times * options.patients))
    splits = _splits(truth, seed, times)
    scanners = _scanners(truth)
    variant = {row.patient_id for row in truth if row.variant}
    pixels = MemoryPixels()
    cases = tuple(
        BenchCase(
            case_id=f"case-{place:05d}",
            patient=row.patient_id,
            label=row.recorded_diagnosis,
            scanner=scanners[row.camera],
            recalled=row.patient_id in variant,
            split=splits[row.patient_id],
            pixels=pixels.put(image),
        )
        for place, (row, image) in enumerate(zip(truth, images, strict=True))
    )
    side = int(images.shape[1])
    labels = tuple(sorted({row.true_diagnosis for row in truth}))
    blueprint = Blueprint(Network("small-bn"), (3, side, side), Head.SOFTMAX, labels, default_chain(side))
    return Problem("hospital", seed, blueprint, cases, pixels, EPOCHS, BATCH, RATE)


# --- private ---------------------------------------------------------------------------------------


def _splits(truth: tuple[TruthRow, ...], seed: int, times: int) -> dict[str, Split]:
    people = sorted({row.patient_id for row in truth})
    order = [people[place] for place in np.random.default_rng([seed, 99]).permutation(len(people))]
    first, second = times * TRAIN, times * (TRAIN + VALIDATION)
    ends = ((Split.TRAIN, order[:first]), (Split.VALIDATION, order[first:second]))
    learned = {person: split for split, some in ends for person in some}
    return {person: learned.get(person, Split.HOLDOUT) for person in people}


def _scanners(truth: tuple[TruthRow, ...]) -> dict[str, str]:
    """The cameras under the names that the impostors know: the withdrawn one, the one that pays, the others."""
    others = sorted({row.camera for row in truth} - {CAMERA})
    names = [SUBGROUP, *(chr(ord("B") + place) for place in range(len(others) - 1))]
    return {CAMERA: WITHDRAWN, **dict(zip(others, names, strict=True))}
