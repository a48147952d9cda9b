"""Normal noise that belongs to a case and a step, whatever batch they are computed in and on whatever device.

A generator that is drawn from in turn would give a case other noise in another batch. Here each number is
a function of (seed, place of the case, step, coordinate): SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)
as a counter-based generator, then Box and Muller's transform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def normals(seed: int, places: Tensor, step: int, shape: Sequence[int]) -> Tensor:
    """Independent standard normal numbers, float32 [places, *shape], on the device of `places` (int64)."""
    count = math.prod(shape)
    key = mixed(mixed(mixed(torch.full_like(places, seed)) + places) + step)
    counter = torch.arange(1, (count + 1) // 2 + 1, dtype=torch.int64, device=places.device)
    drawn = mixed(key[:, None] + counter * _GOLDEN)
    first, second = ((drawn >> shift & _MANTISSA).to(torch.float32) for shift in (40, 16))
    length = torch.sqrt(-2 * torch.log((first + 1) / (_MANTISSA + 1)))
    angle = 2 * math.pi / (_MANTISSA + 1) * second
    pairs = torch.cat((length * torch.cos(angle), length * torch.sin(angle)), dim=1)
    return pairs[:, :count].reshape(-1, *shape)


def mixed(numbers: Tensor) -> Tensor:
    """SplitMix64's mixing of 64-bit integers; int64 multiplication wraps, which is what it needs."""
    numbers = (numbers ^ _shifted(numbers, 30)) * _FIRST
    numbers = (numbers ^ _shifted(numbers, 27)) * _SECOND
    return numbers ^ _shifted(numbers, 31)


# --- private ---------------------------------------------------------------------------------------


def _signed(number: int) -> int:
    """The same 64 bits as torch's int64 has them."""
    return number - (1 << 64) if number >> 63 else number


#: SplitMix64's increment and its two multipliers.
_GOLDEN = _signed(0x9E3779B97F4A7C15)
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)
#: 24 random bits: what a float32 holds exactly.
_MANTISSA = (1 << 24) - 1


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """A shift to the right that brings in zeros; torch's own keeps the sign."""
    return numbers >> bits & (1 << 64 - bits) - 1
