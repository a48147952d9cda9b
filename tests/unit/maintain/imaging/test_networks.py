from __future__ import annotations

import subprocess
import sys
import warnings

import pytest
import torch
from torch import nn

from maintain.errors import InputError, UnknownNameError
from maintain.imaging import NETWORKS, build_network, check_network, network_of, weights_digest
from maintain.records import Network, Setting
from maintain.vocabulary import Head

SMALL = Network("small-bn")


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'small-bn'"):
        build_network(Network("smal-bn"), input_shape=(3, 32, 32), outputs=3, seed=1)


@pytest.mark.parametrize("shape", [(3, 32), (0, 32, 32), (3, 4, 32), (3, 32, 32, 32)])
def test_a_shape_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="cannot take an input"):
        build_network(SMALL, input_shape=shape, outputs=3, seed=1)


@pytest.mark.parametrize("head", [head for head in Head if head is not Head.SOFTMAX])
def test_a_head_that_no_network_declares_is_refused(head: Head) -> None:
    with pytest.raises(InputError, match="does not support the head"):
        check_network(SMALL, input_shape=(3, 32, 32), head=head)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("small-bn", (Setting("width", "half"),), "no option of the network 'small-bn' called 'width'"),
        ("all-cnn", (Setting("width", "double"),), "cannot be 'double'"),
        ("all-cnn", (Setting("width", 2),), "cannot be 2"),
        ("all-cnn", (Setting("width", "half"), Setting("width", "half")), "given twice"),
    ],
)
def test_an_option_that_the_network_does_not_have_is_refused(
    name: str, options: tuple[Setting, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_network(Network(name, options), input_shape=(3, 32, 32), head=Head.SOFTMAX)


def test_a_network_is_named_in_words_with_all_its_options() -> None:
    with pytest.raises(InputError, match="cannot be 'double'"):
        network_of("all-cnn", ["width=double"])
    assert network_of("all-cnn") == Network("all-cnn", (Setting("width", "full"),))
    assert network_of("all-cnn", ["width=half"]) == Network("all-cnn", (Setting("width", "half"),))
    assert network_of("small-bn") == Network("small-bn")


def test_no_outputs_are_refused() -> None:
    with pytest.raises(InputError, match="0 outputs"):
        build_network(SMALL, input_shape=(3, 32, 32), outputs=0, seed=1)


def test_the_small_network_has_about_ninety_thousand_weights() -> None:
    network = build_network(SMALL, input_shape=(3, 32, 32), outputs=3, seed=1)
    assert 88_000 < sum(parameter.numel() for parameter in network.parameters()) < 92_000
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 17, 31), (2, 16, 40)])
def test_the_small_network_takes_any_side_it_says_it_takes(shape: tuple[int, ...]) -> None:
    network = build_network(SMALL, input_shape=shape, outputs=2, seed=1)
    assert network(torch.zeros(2, *shape)).shape == (2, 2)


def test_the_seed_alone_decides_the_bytes_and_other_draws_go_on() -> None:
    def digest(seed: int) -> str:
        return weights_digest(build_network(SMALL, input_shape=(3, 16, 16), outputs=3, seed=seed).state_dict())

    torch.manual_seed(5)
    undisturbed = torch.rand(3)
    torch.manual_seed(5)
    first = digest(1)
    assert torch.equal(torch.rand(3), undisturbed)
    assert digest(1) == first
    assert digest(2) != first


@pytest.mark.parametrize(("width", "weights"), [("full", 1_620_010), ("half", 406_810)])
def test_all_cnn_has_the_channels_it_says_or_half_of_them(width: str, weights: int) -> None:
    network = build_network(Network("all-cnn", (Setting("width", width),)), input_shape=(3, 32, 32), outputs=10, seed=1)
    assert sum(parameter.numel() for parameter in network.parameters()) == weights
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.stride[0] for layer in convolutions] == [1, 1, 2, 1, 1, 2, 1, 1]
    assert all(layer.bias is None for layer in convolutions)


def test_an_option_left_out_is_its_default() -> None:
    def digest(network: Network) -> str:
        return weights_digest(build_network(network, input_shape=(1, 8, 8), outputs=2, seed=1).state_dict())

    assert digest(Network("all-cnn")) == digest(Network("all-cnn", (Setting("width", "full"),)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_takes_one_or_three_channels_and_its_seed_decides_the_bytes(name: str, channels: int) -> None:
    shape = (channels, NETWORKS[name].smallest_side, NETWORKS[name].smallest_side)
    before = warnings.showwarning
    first, again = (build_network(Network(name), input_shape=shape, outputs=4, seed=1) for _ in range(2))
    assert warnings.showwarning is before
    assert all(torch.equal(tensor, again.state_dict()[key]) for key, tensor in first.state_dict().items())
    assert first(torch.zeros(2, *shape)).shape == (2, 4)


def test_every_entry_says_what_it_is_and_the_table_is_read_without_torch() -> None:
    assert all(entry.doc and entry.heads and name == entry.name for name, entry in NETWORKS.items())
    code = "import sys; from maintain.imaging import NETWORKS; assert NETWORKS and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
