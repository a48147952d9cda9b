"""The update of perturbed sign gradient: where its labels come from, and its loss against the formulas on paper."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from helpers.toy_scenes import toy_scene
from maintain.errors import InputError
from maintain.records import Scalar, Setting
from maintain.unlearn import perturbed, resolve_options
from maintain.unlearn.boundary import BoundaryOptions, search_boundary, targets_of
from maintain.unlearn.feed import Side
from maintain.unlearn.objective import Batch, Scene
from maintain.unlearn.options import METHODS
from maintain.unlearn.perturbed import Perturbed, found_boundary
from maintain.unlearn.psg_options import PsgChoices, psg_choices


def choices(**given: Scalar) -> PsgChoices:
    told = tuple(Setting(name, value) for name, value in given.items())
    return psg_choices({setting.name: setting.value for setting in resolve_options(METHODS["psg"], told)})


def drawn(scene: Scene, side: Side = Side.BOTH, step: int = 0) -> Batch:
    handed = scene.feed.draw(side)
    return Batch(scene.chain.apply(handed.images), handed.labels, handed.places, step)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cases each search was of."""
    counted: list[int] = []

    def counting(*arguments: Any, **named: Any) -> Any:
        counted.append(len(arguments[3]))
        return search_boundary(*arguments, **named)

    monkeypatch.setattr(perturbed, "search_boundary", counting)
    return counted


def test_a_network_whose_outputs_have_no_boundary_is_refused() -> None:
    scene = toy_scene(5)
    single = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(1))
    single(scene.chain.apply(next(scene.forgotten()).images))
    with pytest.raises(InputError, match="no boundary between classes"):
        found_boundary(dataclasses.replace(scene, freeze=lambda: single), BoundaryOptions())


@pytest.mark.parametrize("count", [12, 5, 1])
@pytest.mark.parametrize(("noise", "radius"), [(0.0, 0.1), (1.0, 0.1), (0.0, 1e-4)])
def test_no_case_is_taught_its_own_label(count: int, noise: float, radius: float) -> None:
    boundary = found_boundary(toy_scene(count), BoundaryOptions(noise=noise, radius=radius))
    assert len(boundary) == count
    assert not bool((boundary.labels == boundary.truth).any())


def test_they_stand_in_the_order_of_the_places() -> None:
    scene = toy_scene(12)
    assert scene.feed.forget is not None
    assert torch.equal(found_boundary(scene, BoundaryOptions()).truth, scene.feed.forget.labels)


def test_what_was_kept_is_read_and_the_cases_are_counted_all_the_same(searches: list[int], tmp_path: Path) -> None:
    said: list[str] = []
    first, again = toy_scene(5, cache=tmp_path), toy_scene(5, cache=tmp_path)
    one = found_boundary(first, BoundaryOptions(), say=said.append)
    other = found_boundary(again, BoundaryOptions(), say=said.append)
    assert searches == [5]
    assert torch.equal(one.logits, other.logits)
    assert first.feed.state() == again.feed.state()
    assert [("none was kept" in line, "was read" in line) for line in said] == [(True, False), (False, True)]
    assert "5 forgotten cases" in said[0]


@pytest.mark.parametrize(
    ("seed", "options", "forgotten"),
    [(8, BoundaryOptions(), 5), (7, BoundaryOptions(radius=0.2), 5), (7, BoundaryOptions(), 1)],
    ids=["another seed", "other options", "other cases and weights"],
)
def test_what_another_kept_is_not_read(
    seed: int, options: BoundaryOptions, forgotten: int, searches: list[int], tmp_path: Path
) -> None:
    found_boundary(toy_scene(5, cache=tmp_path), BoundaryOptions())
    searches.clear()
    found_boundary(toy_scene(forgotten, seed=seed, cache=tmp_path), options)
    assert sum(searches) == forgotten


def test_without_a_folder_it_is_searched_anew(searches: list[int]) -> None:
    for _ in range(2):
        found_boundary(toy_scene(5), BoundaryOptions())
    assert searches == [5, 5]


@pytest.mark.parametrize("kind", ["hard", "masked-softmax", "logits"])
def test_the_loss_is_the_mean_of_both_halves(kind: str) -> None:
    scene = toy_scene(12)
    chosen = choices(targets=kind, remain=3.0, temperature=2.0)
    objective = Perturbed(chosen)
    objective.begin(scene)
    boundary = found_boundary(scene, chosen.search)
    taught = targets_of(boundary, chosen.targets, temperature=2.0)
    batch = drawn(scene)
    found = objective.loss(scene.network.eval(), batch)
    logs = torch.log_softmax(found.outputs, dim=1)
    forgotten = -(taught[batch.places] * logs[:4]).sum(dim=1).mean()
    retained = -logs[4:][torch.arange(16), batch.labels[4:]].mean()
    assert_close(found.value, forgotten + 3.0 * retained)
    assert (objective.side(0), batch.forgotten, len(batch.labels)) == (Side.BOTH, 4, 20)


def test_without_a_weight_retained_cases_are_not_drawn() -> None:
    scene = toy_scene(12)
    objective = Perturbed(choices(remain=0.0))
    objective.begin(scene)
    assert objective.side(0) is Side.FORGET
    batch = drawn(scene, Side.FORGET)
    found = objective.loss(scene.network.eval(), batch)
    labels = found_boundary(scene, BoundaryOptions()).labels
    assert_close(found.value, functional.cross_entropy(found.outputs, labels[batch.places]))


def test_standard_pushes_every_case_and_selective_as_many_as_are_too_many() -> None:
    """At a share of 1 nothing is pushed at all; below, what is pushed is taught the very labels of `standard`."""
    slopes: dict[str, Tensor] = {}
    told: dict[str, dict[str, Scalar]] = {
        "standard": {},
        "half": {"mode": "selective", "held_out_share": 0.5},
        "all": {"mode": "selective", "held_out_share": 1.0},
    }
    for name, given in told.items():
        scene = toy_scene(12)
        objective = Perturbed(choices(remain=0.0, **given))
        objective.begin(scene)
        found = objective.loss(scene.network.eval(), drawn(scene, Side.FORGET))
        found.outputs.retain_grad()
        found.value.backward()  # type: ignore[no-untyped-call]
        assert found.outputs.grad is not None
        slopes[name] = found.outputs.grad
    pushed = slopes["half"].abs().sum(dim=1) > 0
    assert 0 < int(pushed.sum()) <= 4
    assert_close(slopes["half"][pushed], slopes["standard"][pushed])
    assert int((slopes["standard"].abs().sum(dim=1) > 0).sum()) == 4
    assert not bool(slopes["all"].any())


def test_the_weight_rises_where_retained_cases_are_lost_and_falls_where_they_are_kept() -> None:
    scene = toy_scene(12)
    objective = Perturbed(choices(retention_drop=0.05, remain=2.0))
    objective.begin(scene)
    network = scene.network.eval()
    for _ in range(3):
        objective.loss(network, drawn(scene))
    fallen = float(objective.state()["weight"])
    assert fallen == pytest.approx(2.0 * math.exp(-0.3))
    with torch.no_grad():
        network.get_submodule("head").get_parameter("weight").neg_()
    for _ in range(60):
        found = objective.loss(network, drawn(scene))
    assert float(objective.state()["weight"]) == pytest.approx(20.0)
    assert float(found.value.detach()) > 20.0


def test_what_it_remembers_is_what_decides_the_next_loss() -> None:
    given: dict[str, Scalar] = {"mode": "selective", "held_out_share": 0.5, "retention_drop": 0.01}
    scene, fresh = toy_scene(12), toy_scene(12)
    objective, resumed = Perturbed(choices(**given)), Perturbed(choices(**given))
    objective.begin(scene)
    for _ in range(3):
        objective.loss(scene.network.train(), drawn(scene))
    kept = {name: tensor.clone() for name, tensor in objective.state().items()}
    resumed.begin(fresh)
    assert not torch.equal(resumed.state()["weight"], kept["weight"])
    resumed.restore(kept)
    batch = drawn(scene)
    network = scene.network.eval()
    one, other = objective.loss(network, batch), resumed.loss(network, batch)
    assert torch.equal(one.value, other.value)
    assert all(torch.equal(tensor, resumed.state()[name]) for name, tensor in objective.state().items())
