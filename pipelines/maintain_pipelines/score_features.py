"""What a registered model makes of each picture: what enters its last layer, the figures of a score by `--model`.

The version is one that may be used, and its files are checked against their digests before a picture is read.
Pictures of different sizes are asked separately; each is asked once, however many cases show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import nn

from maintain.cohort import Standing
from maintain.errors import InputError, NotEvaluatedError, UnknownNameError
from maintain.hashing import Digest, short
from maintain.imaging import model_of, read_weights_bytes, threads
from maintain.measure import last_hidden
from maintain.records import PlannedCase
from maintain.vocabulary import Role
from maintain_pipelines.champions import WEIGHTS_FILE, Champion, load_champion, load_version
from maintain_pipelines.context import Context
from maintain_pipelines.environment import pick_device, pick_threads
from maintain_registry import registered

FloatArray: TypeAlias = NDArray[np.float64]

#: Between a model and its version, as in `fundus-triage:2`.
SEPARATOR = ":"

#: Pictures asked between two reports of progress.
PART = 256


@dataclass(frozen=True, slots=True)
class Reader:
    """A registered version that reads pictures."""

    champion: Champion
    network: nn.Module

    @property
    def told(self) -> str:
        """Model, version and weights, as a method of scoring names them."""
        version = self.champion.version
        return f"{version.model} version {version.version} (weights {short(version.weights)})"

    def features(self, cases: Sequence[Standing], context: Context) -> FloatArray:
        """What enters the last layer for each of these cases, [cases, width].

        Raises `InputError` for pictures that it cannot read, and `NotEvaluatedError` for activations that are
        not finite.
        """
        digests = sorted({case.pixels for case in cases})
        found: dict[Digest, FloatArray] = {}
        with threads(pick_threads(context.workspace)):
            for start in range(0, len(digests), PART):
                for alike in _of_one_shape(digests[start : start + PART], context):
                    found.update(zip(alike, self._asked(alike, context), strict=True))
                context.talk.progress("scoring", min(start + PART, len(digests)), len(digests))
        return np.stack([found[case.pixels] for case in cases])

    def _asked(self, digests: Sequence[Digest], context: Context) -> FloatArray:
        spec = self.champion.spec
        rows = tuple(_as_planned(digest) for digest in digests)
        try:
            return last_hidden(self.network, spec, rows, context.arrays, device=pick_device())
        except InputError as error:
            raise InputError(
                f"{self.told} cannot read all of these pictures. {error.message}",
                remedy="Name a model that was trained on pictures like these, or leave `--model` out.",
            ) from error
        except NotEvaluatedError as error:
            raise NotEvaluatedError(
                f"What {self.told} makes of these pictures are not finite numbers.",
                remedy="Look at the model with `maintain registry show`; score with another one, or without `--model`.",
            ) from error


def open_reader(named: str, context: Context) -> Reader:
    """The version that MODEL or MODEL:VERSION names; without a version the one that serves.

    Raises:
        DamagedError: Its files are not those that were registered.
        InputError: No version serves.
        RetiredError: It was withdrawn, its weights destroyed or not.
        UnknownNameError: There is no such model or version.
    """
    model, separator, number = named.partition(SEPARATOR)
    if model not in context.store.models():
        raise UnknownNameError("model", model, context.store.models())
    champion = _numbered(model, number, context) if separator else load_champion(context, model)
    version = champion.version
    data = context.store.get(model, version.version).read(WEIGHTS_FILE)
    state = read_weights_bytes(data, expected=version.weights)
    return Reader(champion, model_of(champion.spec, state))


# --- private ---------------------------------------------------------------------------------------


def _numbered(model: str, number: str, context: Context) -> Champion:
    with context.database.read() as unit:
        known = [str(one) for one in registered(unit, model)]
    if number not in known:
        raise UnknownNameError(f"registered version of {model}", number, known)
    return load_version(context, model, int(number))


def _of_one_shape(digests: Iterable[Digest], context: Context) -> Iterable[tuple[Digest, ...]]:
    """The same digests, those of pictures of one size and number of channels together."""
    shapes = {digest: context.arrays.get(digest).shape for digest in digests}
    ordered = sorted(shapes, key=lambda digest: (shapes[digest], digest))
    return [tuple(alike) for _, alike in groupby(ordered, key=shapes.__getitem__)]


def _as_planned(digest: Digest) -> PlannedCase:
    """A picture as the algorithm rooms take one: its answer and its patient are nobody's business here."""
    return PlannedCase(digest, 0, "", "", digest, Role.VALIDATION, "")
