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
from torch import Tensor

from maintain.errors import InputError
from maintain.hashing import Digest, canonical_json, digest_lines
from maintain.imaging.batches import batch_bounds
from maintain.records import LoaderLog, LoaderRow, Origin
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
class LoaderState:
    """Where a loader stands: passes begun, and how often each case was handed out, in the loader's order."""

    epoch: int
    counts: tuple[int, ...]


class CaseLoader:
    """Batches of (uint8 images, labels) by epoch, in an order drawn from (seed, epoch) and the cases alone.

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
        self._epoch = 0
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

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over all cases, every batch counted as it is handed out."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._cases))
        self._epoch = number + 1
        places = self._places[torch.from_numpy(order)]
        for (start, end), following in zip(self._bounds, [*self._bounds[1:], None], strict=True):
            self._counts[order[start:end]] += 1
            images = self._bank.take(places[start:end])
            labels = self._labels[places[start:end].to(self._bank.device)]
            if following is not None:
                self._bank.expect(places[slice(*following)])
            yield images, labels

    def state(self) -> LoaderState:
        """Where the loader stands."""
        return LoaderState(self._epoch, tuple(self._counts.tolist()))

    def restore(self, state: LoaderState) -> None:
        """Stand where `state` says. Raises `InputError` when it counts other cases."""
        if len(state.counts) != len(self._cases) or min(state.counts) < 0:
            raise InputError("The loader's saved counts are of other cases.", remedy="Start the training again.")
        self._epoch = state.epoch
        self._counts = np.array(state.counts, dtype=np.int64)

    def log(self, origin: Origin, *, final_weights: Digest, steps: int) -> LoaderLog:
        """What was handed out, sorted by role and case; a case that never was has no row."""
        rows = [
            LoaderRow(case.role, case.case_id, case.label_version, int(count))
            for case, count in zip(self._cases, self._counts, strict=True)
            if count
        ]
        rows.sort(key=lambda row: (row.role.value, row.case_id, row.label_version))
        return LoaderLog(origin, final_weights, steps, tuple(rows))


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
