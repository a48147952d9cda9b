"""The loader that hands out batches and counts them: the only witness of what a training consumed.

Whoever trains gets copies of images and labels, never the counts; the log that proves `never-saw`
is drawn up here, from what was handed out and not from what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maintain.errors import InputError
from maintain.hashing import Digest, canonical_json, digest_lines
from maintain.imaging.batches import batch_bounds
from maintain.records import LoaderRow
from maintain.vocabulary import Role

if TYPE_CHECKING:
    from maintain.imaging.bank import ImageBank


@dataclass(frozen=True, slots=True)
class LoaderCase:
    """One case to hand out: its label as the place among the outputs, its pixels by digest, and its role."""

    case_id: str
    label_version: int
    label: int
    pixels: Digest
    role: Role


@dataclass(frozen=True, slots=True)
class Drawn:
    """One batch: stored pixels, labels, and the places of the cases in the loader's order."""

    images: Tensor
    labels: Tensor
    places: Tensor


@dataclass(frozen=True, slots=True)
class LoaderState:
    """Where a loader stands: batches drawn, and how often each case was handed out, in the loader's order."""

    drawn: int
    counts: tuple[int, ...]


class CaseLoader:
    """Batches of uint8 images and labels without end, each pass in an order drawn from (seed, pass) and the cases.

    Raises:
        InputError: No cases, a case twice, or not one image a case in the bank.
    """

    def __init__(self, cases: Sequence[LoaderCase], bank: ImageBank, *, batch_size: int, seed: int) -> None:
        _check(cases, bank, seed)
        self._bounds = batch_bounds(len(cases), batch_size)
        places = sorted(range(len(cases)), key=lambda place: (cases[place].case_id, cases[place].label_version))
        self._cases = tuple(cases[place] for place in places)
        self._places = torch.tensor(places, dtype=torch.int64)
        self._bank = bank
        self._labels = torch.tensor([case.label for case in cases], dtype=torch.int64, device=bank.device)
        self._seed = seed
        self._drawn = 0
        self._order = self._shuffled(0)
        self._counts = np.zeros(len(cases), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._cases)

    @property
    def batches_per_epoch(self) -> int:
        """How many batches one pass has."""
        return len(self._bounds)

    @property
    def cases_digest(self) -> Digest:
        """The digest of what may be handed out: roles, cases, labels and pixels."""
        return digest_lines(
            canonical_json([case.role.value, case.case_id, case.label_version, case.label, case.pixels])
            for case in self._cases
        )

    @property
    def drawn(self) -> int:
        """How many batches were drawn by steps."""
        return self._drawn

    @property
    def labels(self) -> Tensor:
        """The labels in the loader's order."""
        return self._labels

    def draw(self) -> Drawn:
        """The next batch, counted as it is handed out; a new pass begins when the last one ends."""
        turn, place = divmod(self._drawn, len(self._bounds))
        if place == 0:
            self._order = self._shuffled(turn)
        start, end = self._bounds[place]
        self._drawn += 1
        handed = self._handed(self._order[start:end])
        if place + 1 < len(self._bounds):
            start, end = self._bounds[place + 1]
            self._bank.expect(self._places[torch.from_numpy(self._order[start:end])])
        return handed

    def sweep(self) -> Iterator[Drawn]:
        """Every case once, in the loader's order and counted, beside the steps: to look at them, not to step."""
        for start, end in self._bounds:
            yield self._handed(np.arange(start, end))

    def state(self) -> LoaderState:
        """Where the loader stands."""
        return LoaderState(self._drawn, tuple(self._counts.tolist()))

    def restore(self, state: LoaderState) -> None:
        """Stand where `state` says. Raises `InputError` when it counts other cases."""
        if len(state.counts) != len(self._cases) or min(state.counts) < 0:
            raise InputError("The loader's saved counts are of other cases.", remedy="Start the training again.")
        self._drawn = state.drawn
        self._order = self._shuffled(state.drawn // len(self._bounds))
        self._counts = np.array(state.counts, dtype=np.int64)

    def rows(self, state: LoaderState) -> tuple[LoaderRow, ...]:
        """What had been handed out at `state`; a case that never was has no row."""
        return tuple(
            LoaderRow(case.role, case.case_id, case.label_version, count)
            for case, count in zip(self._cases, state.counts, strict=True)
            if count
        )

    def _shuffled(self, turn: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, turn]).permutation(len(self._cases))

    def _handed(self, drawn: NDArray[np.int64]) -> Drawn:
        self._counts[drawn] += 1
        places = torch.from_numpy(drawn)
        chosen, device = self._places[places], self._bank.device
        return Drawn(self._bank.take(chosen), self._labels[chosen.to(device)], places.to(device))


# --- private ---------------------------------------------------------------------------------------


def _check(cases: Sequence[LoaderCase], bank: ImageBank, seed: int) -> None:
    if not cases or len(bank) != len(cases):
        raise InputError(
            f"{len(cases)} cases do not fit {len(bank)} images.",
            remedy="Give one image for each case, and at least one case.",
        )
    if len({(case.case_id, case.label_version) for case in cases}) != len(cases):
        raise InputError("A case was given to the loader twice.", remedy="List every case once, in one role.")
    if seed < 0:
        raise InputError(f"A seed cannot be {seed}.", remedy="Choose a seed of zero or more.")
