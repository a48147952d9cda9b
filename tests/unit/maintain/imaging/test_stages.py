from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import nn

from maintain.errors import InputError
from maintain.imaging import (
    NETWORKS,
    Blueprint,
    Layers,
    default_chain,
    depth_of,
    last_stages,
    moving,
    reset_stages,
    stages_of,
    state_of,
)
from maintain.records import Network
from maintain.vocabulary import Head

NAMES = sorted(NETWORKS)


@cache
def blueprint(name: str) -> Blueprint:
    side = NETWORKS[name].smallest_side
    return Blueprint(Network(name), (3, side, side), Head.SOFTMAX, ("a", "b"), default_chain(side))


@cache
def built(name: str) -> nn.Module:
    """Never changed by a test."""
    return blueprint(name).build(1)


def names_of(network: str) -> list[str]:
    return [stage.name for stage in stages_of(Network(network), built(network))]


@pytest.mark.parametrize("depth", [-1, 0, 6])
def test_more_stages_than_there_are_or_none_are_refused(depth: int) -> None:
    with pytest.raises(InputError, match="no last") as refused:
        last_stages(Network("small-bn"), built("small-bn"), depth)
    assert "conv1, conv2, conv3, fc, head" in refused.value.remedy


def test_a_module_of_another_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"it has fc\.weight, which lies in 0 of its stages"):
        stages_of(Network("all-cnn"), built("small-bn"))
    with pytest.raises(InputError, match=r"it has nothing of conv1"):
        stages_of(Network("all-cnn"), nn.Sequential())


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_buffer_is_of_exactly_one_stage(name: str) -> None:
    stages = stages_of(Network(name), built(name))
    listed = [tensor for stage in stages for tensor in (*stage.parameters, *stage.buffers)]
    assert sorted(listed) == sorted(built(name).state_dict())
    assert stages[-1].name == "head"


@pytest.mark.parametrize("name", NAMES)
def test_running_statistics_are_of_the_stage_of_their_own_normalisation(name: str) -> None:
    for stage in stages_of(Network(name), built(name)):
        layers = {parameter.rpartition(".")[0] for parameter in stage.parameters}
        assert {buffer.rpartition(".")[0] for buffer in stage.buffers} <= layers


def test_the_stages_have_these_names() -> None:
    assert names_of("small-bn") == ["conv1", "conv2", "conv3", "fc", "head"]
    assert names_of("all-cnn") == [*(f"conv{number}" for number in range(1, 9)), "head"]
    assert names_of("resnet18")[:3] == ["stem", "layer1.0", "layer1.1"]
    assert names_of("densenet121") == ["stem", *(f"denseblock{number}" for number in (1, 2, 3, 4)), "head"]


@pytest.mark.parametrize(
    ("name", "late"), [("small-bn", 2), ("all-cnn", 3), ("resnet18", 4), ("resnet50", 6), ("densenet121", 2)]
)
def test_late_is_the_last_third_rounded_up(name: str, late: int) -> None:
    assert depth_of(Network(name), Layers.LATE) == late
    assert depth_of(Network(name), Layers.HEAD) == 1
    assert depth_of(Network(name), Layers.ALL) == len(stages_of(Network(name), built(name)))


@pytest.mark.parametrize("name", NAMES)
def test_what_moves_grows_from_the_head_to_everything(name: str) -> None:
    head, late, everything = (
        moving(Network(name), built(name), layers) for layers in (Layers.HEAD, Layers.LATE, Layers.ALL)
    )
    assert everything == tuple(parameter for parameter, _ in built(name).named_parameters())
    assert everything[-len(late) :] == late
    assert late[-len(head) :] == head
    assert len(head) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_reset_is_the_builders_own_beginning_and_leaves_the_rest_bit_equal(name: str) -> None:
    module = blueprint(name).build(1)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.add_(1)
    before, fresh = state_of(module), state_of(blueprint(name).build(7))
    reset = reset_stages(blueprint(name), module, depth=2, seed=7)
    after = state_of(module)
    assert reset == tuple(
        tensor for stage in last_stages(Network(name), module, 2) for tensor in (*stage.parameters, *stage.buffers)
    )
    for tensor in after:
        assert torch.equal(after[tensor], (fresh if tensor in reset else before)[tensor]), tensor


def test_a_reset_to_the_full_depth_is_a_new_network() -> None:
    module, fresh = blueprint("small-bn").build(1), state_of(blueprint("small-bn").build(2))
    reset_stages(blueprint("small-bn"), module, depth=5, seed=2)
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in state_of(module).items())


def test_a_reset_writes_in_place_and_disturbs_no_other_draw() -> None:
    module = blueprint("small-bn").build(1)
    held = list(module.parameters())
    torch.manual_seed(3)
    undisturbed = torch.rand(2)
    torch.manual_seed(3)
    reset_stages(blueprint("small-bn"), module, depth=1, seed=9)
    assert torch.equal(torch.rand(2), undisturbed)
    assert all(parameter is kept for parameter, kept in zip(module.parameters(), held, strict=True))
    assert all(parameter.requires_grad for parameter in module.parameters())
