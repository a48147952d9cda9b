"""What surrounds a computation: the device, the threads, the seed, the precision, and the same answer twice.

Each of these is global state of torch; here it is set for a while and put back, so that no room
changes what another room computes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from maintain.errors import InputError
from maintain.vocabulary import Precision

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


def check_precision(wanted: Precision, device: str) -> None:
    """Refuse a precision before any time is spent.

    Raises `InputError` where the device has no bfloat16 arithmetic, or only an imitation slower than 32 bits.
    """
    if wanted is Precision.BF16 and not _computes_bf16(device):
        raise InputError(
            f"The device {device!r} does not compute in bfloat16.",
            remedy=f"Choose the precision {Precision.FP32} there.",
        )


@contextmanager
def precision(wanted: Precision, device: str = "cpu") -> Iterator[None]:
    """For one forward pass and its loss, not the backward pass: weights are rounded afresh at every entry.

    A head's loss belongs on `outputs.float()`: a sum of exponentials in bfloat16 has three digits.
    Raises as `check_precision` does.
    """
    check_precision(wanted, device)
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=wanted is Precision.BF16):
        yield


def channels_last(network: nn.Module) -> nn.Module:
    """The same network with its convolutions laid out channels last, in place.

    Half-width All-CNN then learns with 12 to 24 % less work in either precision (one thread, 28x28). Sums
    run in another order: the last bits of a training differ, so whoever lays out says so.
    """
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch leaves it out


def rng_state(device: str = "cpu") -> tuple[torch.Tensor, ...]:
    """The random streams that a computation on this device draws from: the processor's, then the card's."""
    on_cuda = device.startswith("cuda")
    return (torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if on_cuda else []))


def restore_rng(state: tuple[torch.Tensor, ...], device: str = "cpu") -> None:
    """Put the random streams back to what `rng_state` found."""
    torch.set_rng_state(state[0])
    if device.startswith("cuda") and len(state) > 1:
        torch.cuda.set_rng_state(state[1], device)


# --- private ---------------------------------------------------------------------------------------


def _computes_bf16(device: str) -> bool:
    """Whether a card has bfloat16 itself, or oneDNN has kernels of it for this processor."""
    if device.startswith("cuda"):
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
