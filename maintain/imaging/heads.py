"""How outputs become a loss and a decision, for every head, in one place.

A head that is not in the table is refused: a network's outputs read the wrong way still give numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from maintain.errors import InputError
from maintain.vocabulary import Head


@dataclass(frozen=True, slots=True)
class HeadRule:
    """One head: (outputs, labels) -> mean loss, and outputs -> the decided class of each case."""

    loss: Callable[[Tensor, Tensor], Tensor]
    decide: Callable[[Tensor], Tensor]


def head_rule(head: Head) -> HeadRule:
    """The loss and the decision of a head. Raises `InputError` for one that is not built yet."""
    if head not in _RULES:
        raise InputError(
            f"The head {head.value!r} cannot be trained or measured yet.",
            remedy=f"Supported: {', '.join(sorted(known.value for known in _RULES))}.",
        )
    return _RULES[head]


# --- private ---------------------------------------------------------------------------------------


def _cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, labels)


def _largest(outputs: Tensor) -> Tensor:
    return torch.argmax(outputs, dim=1)


_RULES: Mapping[Head, HeadRule] = {Head.SOFTMAX: HeadRule(loss=_cross_entropy, decide=_largest)}
