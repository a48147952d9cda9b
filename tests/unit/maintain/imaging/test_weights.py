from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from maintain.errors import DamagedError, InputError
from maintain.hashing import digest_file
from maintain.imaging import (
    all_finite,
    build_network,
    default_chain,
    load_model,
    load_weights,
    non_finite,
    read_weights,
    save_weights,
    state_of,
    toy_problem,
    weights_digest,
)
from maintain.records import Network


def network(seed: int = 1, outputs: int = 3, side: int = 16) -> torch.nn.Module:
    return build_network(Network("small-bn"), input_shape=(3, side, side), outputs=outputs, seed=seed)


def test_broken_truncated_pickled_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, network().state_dict())
    whole = path.read_bytes()
    for data in (b"", whole[:7], whole[:-1], b"\xff" * 64, whole + b"x", pickle.dumps({"head.bias": [1.0]})):
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"weights\.safetensors.*never loaded"):
            read_weights(path)
    torch.save(network().state_dict(), path)
    with pytest.raises(InputError, match="never loaded"):
        load_weights(path, network())
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(tmp_path / "absent.safetensors")


def test_bytes_under_another_digest_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    digest = save_weights(path, network(1).state_dict())
    save_weights(path, network(2).state_dict())
    with pytest.raises(DamagedError, match="have changed"):
        load_weights(path, network(), expected=digest)


def test_weights_of_another_network_name_the_first_three_differences(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    state = state_of(network(outputs=4))
    del state["conv1.bias"]
    state["extra"] = torch.zeros(2)
    state["fc.bias"] = state["fc.bias"].to(torch.float64)
    save_weights(path, state)
    target = network()
    before = weights_digest(target.state_dict())
    with pytest.raises(InputError) as caught:
        load_weights(path, target)
    assert "conv1.bias is missing; extra is not in the network; fc.bias is torch.float64" in caught.value.message
    assert caught.value.message.endswith("and 2 more.")
    assert weights_digest(target.state_dict()) == before
    save_weights(path, network(outputs=4).state_dict())
    with pytest.raises(InputError, match=r"head.bias is \(4,\), not \(3,\)"):
        load_weights(path, network())


def test_the_digest_is_the_file_and_is_known_without_writing(tmp_path: Path) -> None:
    state = network().state_dict()
    digest = save_weights(tmp_path / "weights.safetensors", state)
    assert digest == weights_digest(state) == digest_file(tmp_path / "weights.safetensors")
    assert weights_digest(dict(reversed(state.items()))) == digest
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_saved_weights_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    digest = save_weights(path, network(1).state_dict())
    other = load_weights(path, network(2), expected=digest)
    assert weights_digest(other.state_dict()) == digest
    toy = toy_problem()
    loaded = load_model(toy.spec(), path, expected=digest)
    assert not loaded.training
    assert weights_digest(loaded.state_dict()) == digest
    assert toy.blueprint.preprocessing == default_chain(16)


def test_tensors_that_share_memory_or_lie_across_can_be_saved(tmp_path: Path) -> None:
    square = torch.arange(6.0).reshape(2, 3)
    save_weights(tmp_path / "w.safetensors", {"plain": square, "tied": square, "across": square.T})
    assert torch.equal(read_weights(tmp_path / "w.safetensors")["across"], square.T)


def test_numbers_that_are_not_finite_are_named() -> None:
    state = state_of(network())
    assert all_finite(state)
    state["fc.bias"][0] = float("nan")
    state["norm1.running_var"][0] = float("inf")
    assert non_finite(state) == ("norm1.running_var", "fc.bias")
    assert not all_finite(state)
    assert not all_finite({})


def test_a_state_is_a_copy() -> None:
    live = network()
    state = state_of(live)
    with torch.no_grad():
        for parameter in live.parameters():
            parameter.add_(1.0)
    assert weights_digest(state) != weights_digest(live.state_dict())
