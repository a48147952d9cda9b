"""How a cell of the table of deeper networks is made: one hospital, its image size, and the network that learns it.

Figures hang on this module, on `method_cells` and on the code that a cell names. The hospital of a seed is the same
at every size: the same patients, labels and splits, painted larger, so that only network and size differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from method_cells import Row, cell_of

from maintain.errors import RefusedError
from maintain.hospital import HospitalOptions, draw_hospital
from maintain.imaging import MemoryPixels, default_chain
from maintain.records import Network, Setting
from maintain_pipelines.bench import EXAMPLES, Desk, Problem, hospital

#: The network of the committed table of methods.
SMALL = "small-bn"
#: Passes, and peak rate, of champion and retrain. The small network learns as in the table of methods; deeper ones
#: know these cases by heart after ten passes at half the rate.
RECIPES: Mapping[str, tuple[int, float]] = {SMALL: (16, 0.1), "densenet121": (10, 0.05), "resnet18": (10, 0.05)}
#: Share of the passes that `short-retrain` takes: six of sixteen in the table of methods.
SHORT_SHARE = 6 / 16

#: Methods that learn on, or anew, without the forgotten cases, and those that teach these another label.
REFITS = ("msg", "reset-refit", "warm-restart")
RELABELS = ("random-label", "second-best-label", "psg")


@dataclass(frozen=True, slots=True)
class Ground:
    """What methods are compared on: a network, the side of its images, and the seed of hospital and champion."""

    network: str
    side: int
    seed: int

    def __str__(self) -> str:
        return f"{self.network} {self.side} {self.seed}"

    @property
    def recipe(self) -> dict[str, Any]:
        """How champion and retrain learn."""
        epochs, rate = RECIPES[self.network]
        return {"epochs": epochs, "learning_rate": rate}


def rows_of(ground: Ground) -> tuple[Row, ...]:
    """The retrains and the methods, with the table's defaults; a shorter recipe has a shorter `short-retrain`."""
    few = max(1, round(SHORT_SHARE * RECIPES[ground.network][0]))
    short = Row("short-retrain", "short-retrain", (Setting("epochs", few),))
    return (Row("retrain", "retrain"), short, *(Row(name, name) for name in (*REFITS, *RELABELS)))


def problem_of(ground: Ground) -> Problem:
    """The bench's hospital of that seed, painted at that size, to be learned by that network."""
    drawn = hospital(ground.seed)
    if ground.side != drawn.blueprint.input_shape[-1]:
        drawn = painted(drawn, ground.side)
    epochs, rate = RECIPES[ground.network]
    blueprint = replace(drawn.blueprint, network=Network(ground.network))
    return replace(drawn, blueprint=blueprint, epochs=epochs, learning_rate=rate)


def painted(drawn: Problem, side: int) -> Problem:
    """The same hospital at another size. Raises `RefusedError` where its cases would not be the same ones."""
    images, truth = draw_hospital(HospitalOptions(seed=drawn.seed, duplicates=0, side=side))
    if [(case.patient, case.label) for case in drawn.cases] != [
        (row.patient_id, row.recorded_diagnosis) for row in truth
    ]:
        raise RefusedError("The hospital at this size has other cases.", remedy="Draw it as the bench does.")
    pixels = MemoryPixels()
    cases = tuple(replace(case, pixels=pixels.put(image)) for case, image in zip(drawn.cases, images, strict=True))
    blueprint = replace(drawn.blueprint, input_shape=(3, side, side), preprocessing=default_chain(side))
    return replace(drawn, cases=cases, pixels=pixels, blueprint=blueprint)


def made(ground: Ground, desk: Desk, row: Row) -> dict[str, Any]:
    """One method on one ground."""
    return {**cell_of(desk, EXAMPLES, row, ()), "recipe": ground.recipe}
