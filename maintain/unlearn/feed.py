"""What a training is fed: batches of forgotten and of retained cases, side by side, both counted where they leave.

Forgotten and retained cases have a loader each, and each goes round its own cases at its own pace, so that a small
forget set is seen whole before a large retained one is. No batch is ever dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from maintain.hashing import Digest, digest_json
from maintain.imaging.loader import CaseLoader, Drawn, LoaderState
from maintain.records import LoaderLog, Origin


class Side(StrEnum):
    """From which loaders a step draws."""

    BOTH = "both"
    """A batch of each, forgotten cases first; retained ones alone where the feed has no others."""
    FORGET = "forget"
    """Forgotten cases alone."""
    RETAIN = "retain"
    """Retained cases alone."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Stored pixels, the forgotten cases first: how many those are, and their places among the forgotten."""

    images: Tensor
    labels: Tensor
    places: Tensor

    @property
    def forgotten(self) -> int:
        """How many of the first cases are to be forgotten."""
        return len(self.places)


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where a feed stands: batches drawn from each loader, and how often each case was handed out."""

    forget: LoaderState | None
    retain: LoaderState


class Feed:
    """Two loaders as one. `forget` is None where forgotten cases are never loaded.

    Without `steps_forget` they are looked at before the first step, and no step draws any.
    """

    def __init__(self, retain: CaseLoader, forget: CaseLoader | None = None, *, steps_forget: bool = True) -> None:
        self._retain, self._forget, self._steps_forget = retain, forget, steps_forget

    @property
    def retain(self) -> CaseLoader:
        """The retained cases."""
        return self._retain

    @property
    def forget(self) -> CaseLoader | None:
        """The forgotten cases, where the training loads any."""
        return self._forget

    @property
    def seen_whole(self) -> bool:
        """Whether every forgotten case was in a step, or none ever is."""
        return self._forget is None or not self._steps_forget or self._forget.drawn >= self._forget.batches_per_epoch

    @property
    def cases_digest(self) -> Digest:
        """The digest of what may be handed out; for retained cases alone it is their loader's own."""
        if self._forget is None:
            return self._retain.cases_digest
        return digest_json([self._forget.cases_digest, self._retain.cases_digest])

    def draw(self, side: Side = Side.BOTH) -> Handed:
        """The next batch."""
        drawn: list[Drawn] = []
        wanted = self._steps_forget and side is not Side.RETAIN
        forgotten = self._forget.draw() if self._forget is not None and wanted else None
        if forgotten is not None:
            drawn.append(forgotten)
        if side is not Side.FORGET or forgotten is None:
            drawn.append(self._retain.draw())
        places = forgotten.places if forgotten is not None else drawn[0].places[:0]
        if len(drawn) == 1:
            return Handed(drawn[0].images, drawn[0].labels, places)
        images, labels = (torch.cat(parts) for parts in zip(*((d.images, d.labels) for d in drawn), strict=True))
        return Handed(images, labels, places)

    def state(self) -> FeedState:
        """Where the feed stands."""
        return FeedState(None if self._forget is None else self._forget.state(), self._retain.state())

    def restore(self, state: FeedState) -> None:
        """Stand where `state` says. Raises `InputError` when it is of other loaders."""
        self._retain.restore(state.retain)
        if self._forget is not None and state.forget is not None:
            self._forget.restore(state.forget)

    def log(self, origin: Origin, state: FeedState, *, final_weights: Digest, steps: int) -> LoaderLog:
        """What was handed out up to `state`, sorted by role and case; a case that never was has no row."""
        rows = list(self._retain.rows(state.retain))
        if self._forget is not None and state.forget is not None:
            rows.extend(self._forget.rows(state.forget))
        rows.sort(key=lambda row: (row.role.value, row.case_id, row.label_version))
        return LoaderLog(origin, final_weights, steps, tuple(rows))
