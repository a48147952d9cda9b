"""What surrounds a computation: the device, the threads, the seed, and the same answer twice.

Each of these is global state of torch; here it is set for a while and put back, so that no room
changes what another room computes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maintain.errors import InputError

#: A workspace with which cuBLAS promises the same sums twice (cuBLAS manual, "Results reproducibility").
_CUBLAS_WORKSPACE = ":4096:8"


def pick_device() -> str:
    """`cuda` when there is one, else `cpu`; the caller passes it on, so that a plan can record it."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with this many threads, then with as many as before: equal weights need an equal count."""
    if count < 1:
        raise InputError(f"{count} threads cannot compute.", remedy="Choose at least one thread.")
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Draw from this seed, then go on with the random stream as it was left."""
    on_cuda = device.startswith("cuda")
    before = rng_state(device)
    torch.default_generator.manual_seed(seed)
    if on_cuda:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    try:
        yield
    finally:
        restore_rng(before, device)


@contextmanager
def deterministic(device: str = "cpu") -> Iterator[None]:
    """Only algorithms that give the same sums twice; on CUDA, where some have no such form, it warns.

    The debug mode is the switch of `use_deterministic_algorithms`, which would import the compiler first.
    """
    on_cuda = device.startswith("cuda")
    if on_cuda:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _CUBLAS_WORKSPACE)
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn" if on_cuda else "error")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)


def rng_state(device: str = "cpu") -> tuple[torch.Tensor, ...]:
    """The random streams that a computation on this device draws from: the processor's, then the card's."""
    on_cuda = device.startswith("cuda")
    return (torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if on_cuda else []))


def restore_rng(state: tuple[torch.Tensor, ...], device: str = "cpu") -> None:
    """Put the random streams back to what `rng_state` found."""
    torch.set_rng_state(state[0])
    if device.startswith("cuda") and len(state) > 1:
        torch.cuda.set_rng_state(state[1], device)
