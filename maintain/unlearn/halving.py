"""When memory does not hold a batch: half of it, from the beginning, and said aloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from maintain.errors import RefusedError

T = TypeVar("T")


def halving(
    attempt: Callable[[int], T],
    batch_size: int,
    *,
    checkpoint: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> T:
    """What `attempt` gives with this batch size or, while memory does not hold it, with half as much again.

    A smaller batch is another training, so the checkpoint of the one before is removed.
    Raises `RefusedError` when memory does not hold a single case.
    """
    while True:
        try:
            return attempt(batch_size)
        except torch.OutOfMemoryError as error:
            if batch_size == 1:
                raise RefusedError(
                    "Memory does not hold the training of a single case.",
                    remedy="Use a device with more memory, or smaller images.",
                ) from error
        batch_size //= 2
        torch.cuda.empty_cache()
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        if say is not None:
            say(f"Memory does not hold a batch; the training begins again with batches of {batch_size}.")
