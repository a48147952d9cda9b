"""How scores are spread: counts in even bins, and how many lie beyond a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.errors import NotEvaluatedError

FloatArray: TypeAlias = NDArray[np.float64]

#: Bins of a histogram, one more where the cut lies between two: what a terminal shows without scrolling.
BINS = 20
#: The far tails are told as "and beyond" from this percentile on either side, so that one case does not flatten all.
TAIL_PERCENTILE = 0.5


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between `edges`, the first and last bin with all that lies beyond them, and those past the cut."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    cut: float
    beyond: int


def histogram(scores: FloatArray, *, cut: float) -> Histogram:
    """The spread of scores, with an edge at the cut; past a positive cut is above it, past a negative one below.

    Raises `NotEvaluatedError` without scores.
    """
    if not len(scores):
        raise NotEvaluatedError("There are no scores to show.", remedy="Read in images first.")
    low, high = np.percentile(scores, [TAIL_PERCENTILE, 100.0 - TAIL_PERCENTILE])
    step = max((max(high, cut) - min(low, cut)) / BINS, _LEAST_STEP)
    first, last = np.floor((min(low, cut) - cut) / step), np.ceil((max(high, cut) - cut) / step)
    edges = cut + step * np.arange(first, max(last, first + 1) + 1)
    counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), bins=edges)
    beyond = int((scores > cut).sum() if cut > 0.0 else (scores < cut).sum())
    return Histogram(tuple(float(edge) for edge in edges), tuple(int(count) for count in counts), cut, beyond)


# --- private ---------------------------------------------------------------------------------------

#: The width of a bin where all scores are the same.
_LEAST_STEP = 1e-6
