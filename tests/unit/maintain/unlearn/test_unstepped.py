from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from helpers.toy_requests import toy_champion, toy_inputs, toy_network, toy_request
from maintain.errors import DamagedError, InputError, RefusedError, UnknownNameError
from maintain.imaging import State, weights_digest
from maintain.records import Setting
from maintain.unlearn import UnlearnRequest, load_method
from maintain.unlearn.unstepped import drift
from maintain.vocabulary import OriginKind, Role


def drifted(*options: Setting, forgotten: int = 12) -> tuple[State, UnlearnRequest]:
    request = toy_request(forgotten, *options)
    return load_method("bn-only").unlearn(request).state, request


@pytest.mark.parametrize(
    ("method", "option", "error"),
    [
        ("noop", Setting("steps", 1), UnknownNameError),
        ("bn-only", Setting("learning_rate", 0.1), UnknownNameError),
        ("bn-only", Setting("passes", 0), InputError),
        ("bn-only", Setting("momentum", 0.0), InputError),
        ("bn-only", Setting("momentum", 1.5), InputError),
        ("bn-only", Setting("forget_batch", 0), InputError),
    ],
)
def test_wrong_options_are_refused(method: str, option: Setting, error: type[Exception]) -> None:
    with pytest.raises(error):
        load_method(method).unlearn(toy_request(5, option))


@pytest.mark.parametrize("method", ["noop", "bn-only"])
def test_other_weights_than_the_champions_are_damaged_and_nothing_is_heard(method: str) -> None:
    request = dataclasses.replace(toy_request(5), parent_weights="0" * 64)
    with pytest.raises(DamagedError, match="have changed"):
        load_method(method).unlearn(request)
    with pytest.raises(RefusedError):
        request.witness.of(toy_champion(5)[1].state)


def test_a_network_without_statistics_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(InputError, match="keeps no running statistics"):
        drift(network, [torch.zeros(2, 3, 8, 8)], momentum=0.1)


def test_statistics_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maintain.unlearn.unstepped.all_finite", lambda state: False)
    with pytest.raises(RefusedError, match="stopped being finite"):
        drifted()


def test_noop_is_the_champion_by_a_log_of_no_steps() -> None:
    request = toy_request(5)
    state = load_method("noop").unlearn(request).state
    heard = request.witness.of(state)
    assert weights_digest(state) == heard.weights == heard.log.final_weights == request.parent_weights
    assert (heard.steps, heard.spent, heard.log.steps, heard.log.rows, heard.recipe) == (0, 0, 0, (), None)
    assert (heard.origin.kind, heard.origin.weights) == (OriginKind.CHECKPOINT, request.parent_weights)


def test_drift_moves_statistics_and_nothing_else() -> None:
    state, request = drifted(Setting("passes", 3), Setting("forget_batch", 4))
    champion = toy_champion(12)[1].state
    moved = {name for name, tensor in state.items() if not torch.equal(tensor, champion[name])}
    assert moved == {name for name in champion if "running" in name or "num_batches" in name}
    heard = request.witness.of(state)
    assert (heard.steps, heard.spent) == (0, 0)
    assert {(row.role, row.times_seen) for row in heard.log.rows} == {(Role.FORGET, 3)}
    assert len(heard.log.rows) == 12


def test_a_pass_by_momentum_one_leaves_the_statistics_of_its_last_batch() -> None:
    state, _ = drifted(Setting("passes", 1), Setting("momentum", 1.0), Setting("forget_batch", 12))
    network = toy_network(toy_champion(12)[1].state)
    inputs: list[torch.Tensor] = []
    network.get_submodule("norm1").register_forward_hook(lambda layer, given, made: inputs.append(given[0]))
    with torch.no_grad():
        network(toy_inputs(Role.FORGET)[0])
    torch.testing.assert_close(state["norm1.running_mean"], inputs[0].mean(dim=(0, 2, 3)))
    torch.testing.assert_close(state["norm1.running_var"], inputs[0].var(dim=(0, 2, 3)))


def test_statistics_alone_learn_and_a_layers_own_momentum_is_put_back() -> None:
    layer = nn.BatchNorm2d(3, momentum=0.3)
    network = nn.Sequential(nn.Dropout(0.5), layer)
    drift(network.train(), [torch.ones(4, 3, 2, 2)], momentum=0.5)
    assert layer.momentum == 0.3
    assert layer.running_mean is not None
    assert torch.equal(layer.running_mean, torch.full((3,), 0.5))
    assert not any(module.training for module in network.modules())


def test_memory_that_holds_half_a_batch_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    failures = iter([True])

    def short(network: nn.Module, batches: object, *, momentum: float) -> None:
        if next(failures, False):
            raise torch.OutOfMemoryError
        drift(network, batches, momentum=momentum)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr("maintain.unlearn.unstepped.drift", short)
    request = dataclasses.replace(toy_request(12, Setting("forget_batch", 8), Setting("passes", 1)), say=said.append)
    state = load_method("bn-only").unlearn(request).state
    assert said == ["Memory does not hold a batch; the training begins again with batches of 4."]
    assert {row.times_seen for row in request.witness.of(state).log.rows} == {1}
    assert weights_digest(state) == weights_digest(drifted(Setting("forget_batch", 4), Setting("passes", 1))[0])
