"""Perturbed sign gradient and its ancestor as whole methods: beginnings, resumptions, and the reference's recipe."""

from __future__ import annotations

import dataclasses
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from helpers.toy_requests import toy_champion, toy_request
from helpers.toy_scenes import toy_scene
from maintain.errors import InputError, WaitingError
from maintain.imaging import all_finite, weights_digest
from maintain.imaging.compute import deterministic
from maintain.records import Scalar, Setting
from maintain.unlearn import UnlearnRequest, Witness, load_method, perturbed
from maintain.unlearn.boundary import reference_options, search_boundary
from maintain.unlearn.feed import Side
from maintain.unlearn.perturbed import Perturbed, found_boundary
from maintain.vocabulary import Role

#: Quick on the toy: three looks.
TOLD: dict[str, Scalar] = {"steps": 25, "forget_batch": 4, "retain_batch": 16}
SHRINK: dict[str, Scalar] = {"steps": 25, "forget_batch": 4}

#: Every way that steps differ from each other.
WAYS: dict[str, dict[str, Scalar]] = {
    "noise": {"gamma": 0.5, "lambda": 0.5, "anneal": "inverse"},
    "langevin": {"langevin": True},
    "logits": {"targets": "logits"},
    "soft": {"targets": "masked-softmax", "temperature": 2.0, "norms": "mixed"},
    "steered": {"retention_drop": 0.01},
    "selective": {"mode": "selective", "held_out_share": 0.5, "layers": "all", "learning_rate": 0.05},
    "selective and steered": {"mode": "selective", "held_out_share": 0.5, "retention_drop": 0.01, "layers": "all"},
    "forgotten alone": {"remain": 0.0},
    "reference": {"replicate": True},
}


def asked(forgotten: int, **given: Scalar) -> UnlearnRequest:
    return toy_request(forgotten, *(Setting(name, value) for name, value in {**TOLD, **given}.items()))


def psg(request: UnlearnRequest) -> dict[str, Tensor]:
    return load_method("psg").unlearn(request).state


def interrupted(forgotten: int, folder: Path, *, after: int, **given: Scalar) -> None:
    """Leave the training's checkpoint after so many looks."""
    looks = count(1)
    request = dataclasses.replace(asked(forgotten, **given), checkpoints=folder, stop=lambda: next(looks) == after)
    with pytest.raises(WaitingError, match="what was done is kept"):
        psg(request)


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "selective"},
        {"replicate": True, "targets": "logits"},
        {"langevin": True, "gamma": 1.0},
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused_before_a_step(given: dict[str, Scalar]) -> None:
    request = asked(5, **given)
    (finding,) = load_method("psg").eligible(request).blocking
    assert "contradict" in finding.reason
    with pytest.raises(InputError, match="contradict"):
        load_method("psg").unlearn(request)
    assert request.witness.steps == 0


def test_too_few_steps_to_see_every_case_are_refused() -> None:
    for method, told in (("psg", TOLD), ("boundary-shrink", SHRINK)):
        request = toy_request(12, *(Setting(name, value) for name, value in {**told, "steps": 2}.items()))
        assert not load_method(method).eligible(request).ok
        with pytest.raises(InputError, match="do not see every one"):
            load_method(method).unlearn(request)


@pytest.mark.parametrize("forgotten", [12, 5, 1])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_moves_the_weights_and_sees_every_forgotten_case(way: str, forgotten: int) -> None:
    request = asked(forgotten, **WAYS[way])
    state = psg(request)
    assert all_finite(state)
    assert weights_digest(state) != request.parent_weights
    log = request.witness.of(state).log
    assert {row.case_id for row in log.rows if row.role is Role.FORGET} == {
        row.case_id for row in request.roles.of(Role.FORGET)
    }
    alone = way in ("forgotten alone", "reference")
    assert ({row.role for row in log.rows} == {Role.FORGET}) == alone


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_one_goes_on_bit_for_bit(way: str, after: int, tmp_path: Path) -> None:
    request = asked(12, **WAYS[way])
    whole = psg(request)
    interrupted(12, tmp_path, after=after, **WAYS[way])
    resumed = dataclasses.replace(asked(12, **WAYS[way]), checkpoints=tmp_path, witness=Witness())
    state = psg(resumed)
    assert weights_digest(state) == weights_digest(whole)
    assert resumed.witness.of(state).log == request.witness.of(whole).log


@pytest.mark.parametrize("way", ["steered", "selective"])
def test_a_resumed_one_that_forgot_its_state_would_end_elsewhere(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = psg(asked(12, **WAYS[way]))
    interrupted(12, tmp_path, after=1, **WAYS[way])
    monkeypatch.setattr(Perturbed, "restore", lambda self, state: None)
    state = psg(dataclasses.replace(asked(12, **WAYS[way]), checkpoints=tmp_path))
    assert weights_digest(state) != weights_digest(whole)


def test_a_resumed_one_reads_its_labels_and_another_seed_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    searches: list[int] = []

    def counting(*arguments: Any, **named: Any) -> Any:
        searches.append(named["seed"])
        return search_boundary(*arguments, **named)

    monkeypatch.setattr(perturbed, "search_boundary", counting)
    interrupted(5, tmp_path, after=1)
    psg(dataclasses.replace(asked(5), checkpoints=tmp_path, say=said.append))
    assert searches == [7]
    assert said == ["The boundary of 5 forgotten cases was read; 0 of them do not cross it within the radius."]
    (other,) = tmp_path.glob("psg*.checkpoint")
    other.unlink()
    psg(dataclasses.replace(asked(5), checkpoints=tmp_path, seed=8, say=said.append))
    assert searches == [7, 8]
    assert "the kept one is of another search" in said[1]


def right(state: dict[str, Tensor], forgotten: int) -> float:
    """Share of forgotten cases that these weights answer as labelled."""
    scene = toy_scene(forgotten)
    scene.network.load_state_dict(state)
    with torch.no_grad():
        hits = [
            (scene.rule.decide(scene.network.eval()(scene.chain.apply(swept.images))) == swept.labels)
            for swept in scene.forgotten()
        ]
    return float(torch.cat(hits).float().mean())


def test_standard_drives_all_off_and_selective_leaves_about_as_many_as_it_is_told() -> None:
    given: dict[str, Scalar] = {"learning_rate": 0.05, "layers": "all", "steps": 60}
    assert right(toy_champion(12)[1].state, 12) > 0.7
    assert right(psg(asked(12, remain=0.1, **given)), 12) == 0.0
    left = right(psg(asked(12, remain=0.1, mode="selective", held_out_share=0.5, **given)), 12)
    assert left == pytest.approx(0.5, abs=0.17)


def test_what_replicates_is_the_reference_s_recipe_on_the_same_batches() -> None:
    """Labels by its search, then plain momentum on forget-only batches with statistics learning from them."""
    request = asked(12, replicate=True, gamma=1e-4, steps=9)
    state = psg(request)
    scene = toy_scene(12)
    with deterministic("cpu"):
        labels = found_boundary(scene, reference_options(noise=1e-4)).labels
        network = scene.network.train()
        moving = torch.optim.SGD(network.parameters(), lr=1e-5, momentum=0.9)
        for _ in range(9):
            handed = scene.feed.draw(Side.FORGET)
            loss = functional.cross_entropy(network(scene.chain.apply(handed.images)), labels[handed.places])
            moving.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            moving.step()
    for name, tensor in network.state_dict().items():
        assert_close(state[name], tensor, rtol=1e-6, atol=1e-7, msg=name)
    before = load(request.read_parent())
    drift = max(float((state[name] - before[name]).abs().max()) for name in state if "running" in name)
    moved = max(float((state[name] - before[name]).abs().max()) for name, _ in network.named_parameters())
    assert drift > 100 * moved


@pytest.mark.parametrize("forgotten", [12, 5, 1])
@pytest.mark.parametrize("search", ["single-step", "five-steps"])
@pytest.mark.parametrize("norms", ["frozen", "mixed", "recalibrate"])
def test_the_ancestor_steps_on_forgotten_cases_alone(search: str, norms: str, forgotten: int) -> None:
    told = {**SHRINK, "search": search, "norms": norms}
    request = toy_request(forgotten, *(Setting(name, value) for name, value in told.items()))
    state = load_method("boundary-shrink").unlearn(request).state
    assert weights_digest(state) != request.parent_weights
    steps = request.witness.of(state).log
    roles = {row.role for row in steps.rows}
    assert roles == ({Role.FORGET, Role.RETAIN} if norms == "recalibrate" else {Role.FORGET})


def test_the_ancestor_is_psg_with_one_step_and_no_retained_cases() -> None:
    shrunk = load_method("boundary-shrink").unlearn(toy_request(5, *(Setting(*one) for one in SHRINK.items()))).state
    alike = psg(asked(5, search_steps=1, bisections=0, remain=0.0, learning_rate=1e-3))
    assert weights_digest(shrunk) == weights_digest(alike)
