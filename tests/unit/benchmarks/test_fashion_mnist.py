"""The table says what its cells say: which are missing, which targets are reached and who else reaches them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from evidence import RESULTS, STALE
from fashion_arms import ARMS, MASKED
from fashion_cases import CLASSES, FORGOTTEN, Fashion, Part, half_all_cnn, request_of
from fashion_mnist import NAME, SIZE, auc_of, distance, equal_steps, margins_of
from fashion_report import render
from scipy.stats import mannwhitneyu

from maintain.imaging import MemoryPixels
from maintain.records import PlannedCase, Setting
from maintain.unlearn import METHODS, load_method, resolve_options
from maintain.vocabulary import Role

MACHINE = {"cpu": "a processor", "cores": 2, "threads": 1, "torch": "2", "python": "3.11", "date": "2026-01-01"}


def cell(**given: float) -> dict[str, Any]:
    figures = {
        "forgotten": 0.0,
        "kept": 0.9,
        "distance": 0.01,
        "forgotten_anew": 0.0,
        "kept_anew": 0.9,
        "distance_anew": 0.01,
        "churn": 0.05,
        "auc": 0.5,
        "gradient_share": 0.08,
        "every_share": 0.09,
        "cpu_share": 0.05,
        "wall_share": 0.05,
    }
    return {**figures, "reached": True, **given}


def document(**cells: dict[str, Any]) -> dict[str, Any]:
    return {"machine": MACHINE, "code": "0" * 64, "cells": {f"100-1-{name}": made for name, made in cells.items()}}


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_names_a_method_and_options_that_it_has(arm: Any) -> None:
    resolve_options(METHODS[arm.method], [Setting(name, value) for name, value in arm.options.items()])
    assert not arm.alike or arm.alike in [other.name for other in ARMS[: ARMS.index(arm)]]
    assert "-" not in arm.name


def test_a_table_of_some_cells_says_which_are_missing() -> None:
    said = render(document(psg=cell()))
    assert "Missing: champion of seed 1, retrain of seed 1" in said
    assert "psg of seed 1" not in said
    whole = {arm.name: cell() for arm in ARMS} | {MASKED: cell()}
    assert "Missing" not in render(document(**whole))


@pytest.mark.parametrize("figure", ["distance", "gradient_share", "cpu_share"])
def test_a_target_that_is_not_reached_is_said_to_be_missed(figure: str) -> None:
    assert "not reached" not in render(document(psg=cell()))
    assert "**not reached**" in render(document(psg=cell(**{figure: 0.2})))


def test_whoever_is_as_near_or_nearer_is_published() -> None:
    masked = {name: value for name, value in cell(distance=0.001).items() if name not in ("reached", "cpu_share")}
    said = render(document(psg=cell(), random=cell(distance=0.015), scrub=cell(distance=0.5), masked=masked))
    inside, nearer = (
        next(line for line in said.splitlines() if line.startswith(f"- {word}"))
        for word in ("Also within", "Nearer than")
    )
    assert "random-label" in inside
    assert "scrub" not in inside
    assert "masked" in nearer
    assert "random" not in nearer


def test_equal_passes_are_at_least_as_many() -> None:
    assert equal_steps({"gradient": 100, "forward": 1}, batch=50) == 3


def test_the_auc_is_that_of_mann_and_whitney_ties_included() -> None:
    generator = np.random.default_rng(2)
    members, others = generator.integers(0, 20, 60), generator.integers(-3, 15, 45)
    expected = mannwhitneyu(members, others).statistic / (60 * 45)
    assert auc_of(torch.from_numpy(members), torch.from_numpy(others)) == pytest.approx(expected)


def test_a_margin_is_the_own_output_above_the_highest_other() -> None:
    outputs = torch.tensor([[1.0, 3.0, 2.0], [5.0, 1.0, 0.0]])
    assert margins_of(outputs, torch.tensor([1, 2])).tolist() == [1.0, -5.0]
    assert distance((0.0, 0.9), (0.03, 0.86)) == pytest.approx(0.05)


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_can_be_gone_with_as_many_cases_as_it_is_measured_on(arm: Any) -> None:
    blueprint = half_all_cnn()
    part = Part(torch.zeros(1, 28, 28, 1, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    roles = [Role.FORGET if place % CLASSES == FORGOTTEN else Role.RETAIN for place in range(SIZE)]
    rows = tuple(
        PlannedCase(f"{place:05d}", 1, blueprint.label_order[place % CLASSES], f"{place}", "p", role, "drawn")
        for place, role in enumerate(roles)
    )
    drawn = Fashion(
        seed=1,
        blueprint=blueprint,
        places=tuple(range(SIZE)),
        rows=rows,
        pixels=MemoryPixels(),
        learned=part,
        validation=part,
        test=part,
    )
    options = [Setting(name, value) for name, value in arm.options.items()]
    request = request_of(drawn, blueprint.build(1).state_dict(), seed=1, options=options)
    assert not load_method(arm.method).eligible(request).blocking


def test_the_committed_table_is_written_again_as_it_stands() -> None:
    document = json.loads((RESULTS / f"{NAME}.json").read_text())
    assert render(document) == (RESULTS / f"{NAME}.md").read_text().removeprefix(STALE)
