"""Weights on disk: safetensors, named by the SHA-256 of the file, never pickled.

Safetensors writes equal tensors as equal bytes, so the digest of the file identifies the weights
and can be known before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from maintain.codec import write_bytes
from maintain.errors import DamagedError, InputError
from maintain.hashing import Digest, digest_bytes
from maintain.imaging.blueprint import blueprint_of
from maintain.records import ModelSpec

State: TypeAlias = Mapping[str, Tensor]

#: Differences between weights and network that a message lists; more would hide the first.
_LISTED = 3


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's weights on the processor, which later training cannot change."""
    return {name: _plain(tensor) for name, tensor in network.state_dict().items()}


def weights_digest(state: State) -> Digest:
    """The digest that `save_weights` would return, without writing."""
    return digest_bytes(_serialise(state))


def save_weights(path: Path, state: State) -> Digest:
    """Write weights and return their digest. The file appears whole or not at all."""
    data = _serialise(state)
    write_bytes(path, data)
    return digest_bytes(data)


def read_weights(path: Path, *, expected: Digest | None = None) -> dict[str, Tensor]:
    """The tensors of a weights file.

    Raises:
        InputError: There is no such file, or it is broken, truncated or pickled.
        DamagedError: The bytes are not those of the `expected` digest.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path.name, f"cannot be read ({error.strerror})") from error
    return read_weights_bytes(data, expected=expected, source=path.name)


def read_weights_bytes(
    data: bytes, *, expected: Digest | None = None, source: str = "weights.safetensors"
) -> dict[str, Tensor]:
    """The tensors in the bytes of a weights file. Raises as `read_weights` does, calling them `source`."""
    if expected is not None and digest_bytes(data) != expected:
        raise DamagedError(
            f"The weights {source} have changed since they were written.",
            remedy="Restore the file from a backup; it was not loaded.",
        )
    try:
        return dict(load_safetensors(data))
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise _refused(source, "is not a whole safetensors file (pickled weights are never loaded)") from error


def load_weights(path: Path, network: nn.Module, *, expected: Digest | None = None) -> nn.Module:
    """Fill a network with the weights of a file; names, shapes and types must be exactly the network's."""
    return fill(network, read_weights(path, expected=expected), source=path.name)


def fill(network: nn.Module, state: State, *, source: str = "the state") -> nn.Module:
    """Fill a network with tensors; names, shapes and types must be exactly the network's."""
    differences = list(_differences(state, network.state_dict()))
    if differences:
        more = f" and {len(differences) - _LISTED} more" if len(differences) > _LISTED else ""
        raise InputError(
            f"{source} holds weights of another network: {'; '.join(differences[:_LISTED])}{more}.",
            remedy="Load it into the network that its model spec names.",
        )
    network.load_state_dict(state)
    return network


def load_model(spec: ModelSpec, path: Path, *, expected: Digest | None = None) -> nn.Module:
    """The network of a spec with the weights of a file, ready to be asked."""
    return load_weights(path, blueprint_of(spec).build(seed=0), expected=expected).eval()


def model_of(spec: ModelSpec, state: State) -> nn.Module:
    """The network of a spec with these tensors, ready to be asked."""
    return fill(blueprint_of(spec).build(seed=0), state).eval()


def all_finite(state: State) -> bool:
    """Whether every number is finite; weights without any tensor are not."""
    return bool(state) and not non_finite(state)


def non_finite(state: State) -> tuple[str, ...]:
    """The names of the tensors that hold a NaN or an infinity."""
    return tuple(name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all()))


# --- private ---------------------------------------------------------------------------------------


def _serialise(state: State) -> bytes:
    return bytes(save_safetensors({name: _plain(tensor) for name, tensor in state.items()}))


def _plain(tensor: Tensor) -> Tensor:
    """A copy of its own: safetensors refuses tensors that share memory or are not contiguous."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _differences(found: State, wanted: State) -> Iterator[str]:
    for name in sorted(set(found) | set(wanted)):
        if name not in found:
            yield f"{name} is missing"
        elif name not in wanted:
            yield f"{name} is not in the network"
        elif found[name].shape != wanted[name].shape:
            yield f"{name} is {tuple(found[name].shape)}, not {tuple(wanted[name].shape)}"
        elif found[name].dtype != wanted[name].dtype:
            yield f"{name} is {found[name].dtype}, not {wanted[name].dtype}"


def _refused(source: str, what: str) -> InputError:
    return InputError(f"The weights {source}: it {what}.", remedy="Give a safetensors file that this tool wrote.")
