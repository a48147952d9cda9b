from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from maintain.errors import DamagedError, InputError, RefusedError, WaitingError
from maintain.imaging import Blueprint, all_finite, toy_problem, weights_digest
from maintain.records import Origin, Recipe
from maintain.unlearn import Trained, default_recipe, train
from maintain.vocabulary import OriginKind, Role

TOY = toy_problem()
CASES = TOY.blueprint.loader_cases(TOY.rows, Role.LEARN)
EPOCHS = 4
RECIPE = dataclasses.replace(default_recipe(seed=3, epochs=EPOCHS), batch_size=16)


def run(recipe: Recipe = RECIPE, *, checkpoint: Path | None = None, stop: Callable[[], bool] | None = None) -> Trained:
    return train(TOY.blueprint, recipe, CASES, TOY.pixels, checkpoint=checkpoint, stop=stop)


@pytest.fixture(scope="module")
def whole() -> Trained:
    return run()


def test_a_training_beyond_its_budget_is_refused_before_it_starts() -> None:
    started: list[int] = []
    with pytest.raises(InputError, match="takes 12 steps; the budget is 11"):
        train(
            TOY.blueprint,
            RECIPE,
            CASES,
            TOY.pixels,
            budget_steps=11,
            progress=lambda epoch, epochs, loss: started.append(epoch),
        )
    assert not started


def test_a_recipe_of_other_initial_weights_is_refused(whole: Trained) -> None:
    with pytest.raises(InputError, match="other initial weights"):
        run(dataclasses.replace(whole.recipe, seed=4))


def test_a_training_that_diverges_is_refused_and_keeps_nothing(tmp_path: Path) -> None:
    wild = dataclasses.replace(RECIPE, learning_rate=1e30, clip_norm=1e30)
    with pytest.raises(RefusedError, match="diverged in epoch 1"):
        run(wild, checkpoint=tmp_path / "it.checkpoint")
    assert not list(tmp_path.iterdir())


def test_images_that_the_network_cannot_read_are_refused() -> None:
    other = toy_problem(side=32)
    grey = dataclasses.replace(TOY.blueprint, input_shape=(1, 16, 16))
    with pytest.raises(InputError, match="the network reads"):
        train(grey, RECIPE, other.blueprint.loader_cases(other.rows, Role.LEARN), other.pixels)


def test_it_learns_and_says_how_it_was_made(whole: Trained) -> None:
    assert whole.history[-1].loss < whole.history[0].loss
    assert whole.history[-1].accuracy > 0.8
    assert [result.leg for result in whole.history] == [1, 2, 3, 4]
    assert whole.steps == 12
    assert whole.weights == weights_digest(whole.state)
    assert all_finite(whole.state)
    initial = weights_digest(TOY.blueprint.build(RECIPE.seed).state_dict())
    assert whole.recipe == dataclasses.replace(RECIPE, initial_weights=initial)
    assert whole.origin == whole.log.origin == Origin(OriginKind.INITIALISATION, initial)


def test_the_log_counts_every_case_once_a_pass(whole: Trained) -> None:
    assert (whole.log.final_weights, whole.log.steps) == (whole.weights, 12)
    assert [row.case_id for row in whole.log.rows] == sorted(case.case_id for case in CASES)
    assert {(row.role, row.times_seen) for row in whole.log.rows} == {(Role.LEARN, EPOCHS)}


def test_equal_inputs_give_equal_bytes_and_nothing_outside_is_disturbed(whole: Trained) -> None:
    torch.manual_seed(8)
    undisturbed = torch.rand(2)
    torch.manual_seed(8)
    again = train(TOY.blueprint, whole.recipe, tuple(reversed(CASES)), TOY.pixels)
    assert torch.equal(torch.rand(2), undisturbed)
    assert (again.weights, again.log, again.history) == (whole.weights, whole.log, whole.history)
    assert not torch.are_deterministic_algorithms_enabled()
    assert run(dataclasses.replace(RECIPE, seed=4)).weights != whole.weights


@pytest.mark.parametrize("epoch", range(1, EPOCHS))
def test_an_interrupted_training_goes_on_bit_for_bit(epoch: int, whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    answers = iter([*[False] * (epoch - 1), True])
    with pytest.raises(WaitingError, match=f"after {epoch} of 4 epochs; what was done is kept") as caught:
        run(checkpoint=path, stop=lambda: next(answers))
    assert "goes on from the last finished epoch" in caught.value.remedy
    torch.manual_seed(epoch)
    resumed = run(checkpoint=path)
    assert (resumed.weights, resumed.log, resumed.history) == (whole.weights, whole.log, whole.history)
    assert [kept.name for kept in tmp_path.iterdir()] == ["it.checkpoint"]


def test_a_network_that_draws_while_it_trains_goes_on_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build = Blueprint.build

    def with_dropout(blueprint: Blueprint, seed: int) -> nn.Module:
        return nn.Sequential(nn.Dropout(0.2), build(blueprint, seed))

    monkeypatch.setattr(Blueprint, "build", with_dropout)
    path = tmp_path / "it.checkpoint"
    with pytest.raises(WaitingError):
        run(checkpoint=path, stop=lambda: True)
    torch.rand(5)
    assert run(checkpoint=path).weights == run().weights


def test_an_augmented_training_learns_from_other_images_and_goes_on_bit_for_bit(whole: Trained, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, augmentation="medical@1")
    path = tmp_path / "it.checkpoint"
    with pytest.raises(WaitingError):
        run(recipe, checkpoint=path, stop=lambda: True)
    torch.rand(5)
    resumed = run(recipe, checkpoint=path)
    assert resumed.weights == run(recipe).weights
    assert resumed.weights != whole.weights
    assert resumed.log == dataclasses.replace(whole.log, final_weights=resumed.weights)


def test_stopping_after_every_pass_ends_with_the_same_weights(whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    interruptions = 0
    for _ in range(EPOCHS):
        try:
            last = run(checkpoint=path, stop=lambda: True)
        except WaitingError:
            interruptions += 1
    assert interruptions == EPOCHS - 1
    assert (last.weights, last.log) == (whole.weights, whole.log)


def test_a_kill_in_the_middle_of_a_pass_costs_that_pass_only(whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"

    def killed(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TOY.blueprint, RECIPE, CASES, TOY.pixels, checkpoint=path, progress=killed)
    told: list[tuple[int, int]] = []
    resumed = train(
        TOY.blueprint,
        RECIPE,
        CASES,
        TOY.pixels,
        checkpoint=path,
        progress=lambda epoch, epochs, loss: told.append((epoch, epochs)),
    )
    assert told == [(3, 4), (4, 4)]
    assert (resumed.weights, resumed.log) == (whole.weights, whole.log)


def test_a_finished_checkpoint_is_not_trained_again(whole: Trained, tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    run(checkpoint=path)
    before = path.read_bytes()
    assert run(checkpoint=path, stop=lambda: True).weights == whole.weights
    assert path.read_bytes() == before


def test_a_stop_without_a_checkpoint_says_that_nothing_was_kept() -> None:
    with pytest.raises(WaitingError, match="nothing of it was kept"):
        run(stop=lambda: True)


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    with pytest.raises(WaitingError):
        run(checkpoint=path, stop=lambda: True)
    with pytest.raises(InputError, match="belongs to another training"):
        run(dataclasses.replace(RECIPE, seed=4), checkpoint=path)
    with pytest.raises(InputError, match="belongs to another training"):
        train(TOY.blueprint, RECIPE, CASES[1:], TOY.pixels, checkpoint=path)


def test_a_broken_checkpoint_is_damaged_not_ignored(tmp_path: Path) -> None:
    path = tmp_path / "it.checkpoint"
    with pytest.raises(WaitingError):
        run(checkpoint=path, stop=lambda: True)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DamagedError, match="gone on from"):
        run(checkpoint=path)
