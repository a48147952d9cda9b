"""How many batches a pass has and where they end, without torch: the planner and the loader must agree."""

from __future__ import annotations

from maintain.errors import InputError


def batch_bounds(count: int, batch_size: int) -> tuple[tuple[int, int], ...]:
    """The (start, end) of every batch of one pass over `count` cases.

    A last batch of one case joins the one before it: batch normalisation cannot learn from a single case, and
    dropping it would leave a case that the manifest says was learned from.
    """
    if count < 1 or batch_size < 1:
        raise InputError(
            f"{count} cases cannot be handed out in batches of {batch_size}.",
            remedy="Give at least one case and a batch size of at least one.",
        )
    starts = list(range(0, count, batch_size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return tuple(zip(starts, [*starts[1:], count], strict=True))


def batches_per_epoch(count: int, batch_size: int) -> int:
    """How many optimiser steps one pass takes; budgets are counted in them."""
    return len(batch_bounds(count, batch_size))
