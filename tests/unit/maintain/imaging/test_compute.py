from __future__ import annotations

import contextlib

import pytest
import torch

from maintain.errors import InputError
from maintain.imaging import (
    build_network,
    channels_last,
    check_precision,
    deterministic,
    pick_device,
    precision,
    seeded,
    state_of,
    threads,
    weights_digest,
)
from maintain.imaging.compute import _computes_bf16
from maintain.records import Network
from maintain.vocabulary import Precision

needs_bf16 = pytest.mark.skipif(not _computes_bf16("cpu"), reason="this processor has no bfloat16")


def test_no_threads_are_refused() -> None:
    with pytest.raises(InputError, match="0 threads"):
        threads(0).__enter__()


def test_threads_are_put_back_also_after_a_failure() -> None:
    before = torch.get_num_threads()
    with contextlib.suppress(KeyError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_a_seeded_draw_repeats_and_disturbs_nothing() -> None:
    torch.manual_seed(9)
    undisturbed = torch.rand(2)
    torch.manual_seed(9)
    with seeded(4):
        first = torch.rand(2)
    assert torch.equal(torch.rand(2), undisturbed)
    with seeded(4):
        assert torch.equal(torch.rand(2), first)


def test_determinism_is_asked_for_and_given_back() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic():
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_device_is_a_card_only_where_there_is_one() -> None:
    assert pick_device() == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_precision_beyond_the_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maintain.imaging.compute._computes_bf16", lambda device: False)
    with pytest.raises(InputError, match="'cpu' does not compute in bfloat16"):
        precision(Precision.BF16).__enter__()
    check_precision(Precision.FP32, "cpu")


def test_bf16_is_refused_on_a_card_that_is_not_there() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="'cuda' does not compute"):
            check_precision(Precision.BF16, "cuda")


def test_fp32_changes_nothing_even_inside_another_precision() -> None:
    network = build_network(Network("small-bn"), input_shape=(1, 8, 8), outputs=3, seed=1).eval()
    images = torch.rand(4, 1, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16), precision(Precision.FP32):
        outputs = network(images)
    assert torch.equal(outputs, network(images))


@needs_bf16
def test_bf16_rounds_the_outputs_and_leaves_weights_and_gradients_in_32_bits() -> None:
    network = build_network(Network("all-cnn"), input_shape=(1, 8, 8), outputs=3, seed=1).eval()
    images = torch.rand(4, 1, 8, 8)
    with precision(Precision.BF16):
        outputs = network(images)
    assert outputs.dtype is torch.bfloat16
    torch.testing.assert_close(outputs.float(), network(images), rtol=0.05, atol=0.01)
    outputs.float().sum().backward()
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert all(weight.grad is not None and weight.grad.dtype is torch.float32 for weight in network.parameters())
    assert network(images).dtype is torch.float32


@needs_bf16
def test_bf16_sees_a_weight_that_moved_between_two_passes() -> None:
    network = torch.nn.Linear(2, 2)
    with precision(Precision.BF16):
        before = network(torch.ones(1, 2))
    with torch.no_grad():
        network.bias.add_(5)
    with precision(Precision.BF16):
        assert bool((network(torch.ones(1, 2)) - before > 4).all())


@pytest.mark.parametrize(
    "word", [pytest.param(word, marks=needs_bf16 if word is Precision.BF16 else ()) for word in Precision]
)
@pytest.mark.parametrize("lay_out", [False, True])
def test_a_step_in_any_precision_and_layout_is_the_same_twice(word: Precision, lay_out: bool) -> None:
    def stepped() -> str:
        network = build_network(Network("all-cnn"), input_shape=(1, 8, 8), outputs=3, seed=1)
        if lay_out:
            channels_last(network)
        with threads(1), deterministic(), seeded(1):
            with precision(word):
                outputs = network(torch.rand(8, 1, 8, 8))
            outputs.float().square().sum().backward()
            torch.optim.SGD(network.parameters(), lr=0.1).step()
        return weights_digest(state_of(network))

    assert stepped() == stepped()


def test_the_layout_changes_no_weight_and_nothing_that_is_written() -> None:
    network = build_network(Network("all-cnn"), input_shape=(3, 8, 8), outputs=3, seed=1)
    before, images = weights_digest(state_of(network)), torch.rand(2, 3, 8, 8)
    plain = network.eval()(images)
    assert channels_last(network) is network
    assert weights_digest(state_of(network)) == before
    torch.testing.assert_close(network(images), plain)
