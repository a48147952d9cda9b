"""Ratios are taken round by round, work is equal, and a target that is missed is said to be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from psg_speed import BATCH, PASSES, WAYS, equal_options, ratios, render

from maintain.records import Setting
from maintain.unlearn import METHODS, resolve_options

MACHINE = {"cpu": "a processor", "cores": 2, "threads": 1, "torch": "2", "python": "3.11", "date": "2026-01-01"}


def round_of(reference: float, ours: float) -> dict[str, Any]:
    def seconds(value: float) -> dict[str, float]:
        return {"compute_cpu": value, "total_cpu": value, "total_wall": value, "steps": 10}

    return {way: seconds(reference if way == "reference" else ours) for way in WAYS}


def test_ratios_are_of_one_round_each() -> None:
    cells = {"0-0": round_of(10, 5), "0-1": round_of(20, 5), "1-0": round_of(3, 3), "memory": {}}
    assert ratios(cells, 0.0, "fp32", "compute_cpu") == [2.0, 4.0]
    assert ratios(cells, 1.0, "bf16", "total_cpu") == [1.0]


@pytest.mark.parametrize(("ours", "missed"), [(1.0, False), (4.5, True)])
def test_a_missed_target_is_said_to_be_missed(ours: float, missed: bool) -> None:
    cells = {"0-0": round_of(10, ours)}
    said = render({"machine": MACHINE, "code": "0" * 64, "cells": cells})
    assert ("**not reached**" in said) is missed


@pytest.mark.parametrize(("most", "missed"), [(0.7e9, False), (2.1e9, True)])
def test_memory_is_held_against_its_roof(most: float, missed: bool) -> None:
    run = {"images": 60_000, "forgotten": 6_000, "passes": 1, "before": 0.4e9, "most": most}
    said = render({"machine": MACHINE, "code": "0" * 64, "cells": {"memory": run}})
    assert ("**not reached**" in said) is missed


@pytest.mark.parametrize("phi", [0.0, 1.0])
def test_work_is_as_many_steps_as_the_recipes_passes_have_last_batches_included(phi: float) -> None:
    drawn: Any = SimpleNamespace(learned=SimpleNamespace(forgotten=SimpleNamespace(labels=torch.zeros(BATCH + 1))))
    options = equal_options(drawn, phi)
    assert options["steps"] == 2 * PASSES
    resolve_options(METHODS["psg"], [Setting(name, value) for name, value in options.items()])
