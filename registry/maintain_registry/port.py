"""The registry as a port: what any store of model versions must do, and no more.

A store keeps files under (model, number) and moves aliases by compare-and-swap. It does not
decide whether a version counts as registered: that takes a ledger entry (`intents.registered`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from maintain.errors import RefusedError, UnknownNameError
from maintain.hashing import Digest
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry.holdings import Holdings

#: A file of a version: where it lies, or its bytes.
Content: TypeAlias = Path | bytes


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version as it lies in a store. Reading a file checks it against its digest."""

    record: ModelVersion
    files: tuple[str, ...]
    reader: Callable[[str], bytes] = field(repr=False, compare=False)

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises `DamagedError` when they changed since they were stored."""
        if name not in self.files:
            raise UnknownNameError(f"file of {self.record.model} version {self.record.version}", name, self.files)
        return self.reader(name)


class ModelStore(Protocol):
    """Whatever keeps model versions. Names of models are checked by every method."""

    def models(self) -> tuple[str, ...]:
        """The models that have at least one version, sorted."""
        ...

    def versions(self, model: str) -> tuple[int, ...]:
        """The stored numbers of a model, ascending; empty for a model nobody stored."""
        ...

    def get(self, model: str, version: int) -> StoredVersion:
        """One version. Raises `UnknownNameError` when absent, `DamagedError` when changed."""
        ...

    def reserve(self, version: ModelVersion, files: Mapping[str, Content]) -> str | None:
        """Where `put` will write the weights of this version, so that the register of weights can say so before.

        Nothing of them is written yet, and what is stored already keeps its place. None for a store without places.
        Raises what `put` raises for the files.
        """
        ...

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        """Store a version, whole or not at all; the same content again is fine.

        Raises `RefusedError` for other content under a number that is taken, and `InputError`
        for files that a version may not have (`contents.check`).
        """
        ...

    def discard(self, model: str, version: int) -> None:
        """Remove a version that never came to be registered; absent is fine.

        Raises `RefusedError` when an alias points at it.
        """
        ...

    def erase(self, model: str, version: int) -> None:
        """Remove the weights of a retired version for good; its other files stay. Already gone is fine.

        From then on `get` does not list them. Raises `RefusedError` when an alias points at it.
        """
        ...

    def weights_place(self, model: str, version: int) -> str | None:
        """Where the weights of a stored version lie, as `reserve` said it; None where they have no place."""
        ...

    def alias(self, model: str, alias: Alias) -> int | None:
        """The number an alias points at, or None."""
        ...

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        """Point an alias at a stored version. Raises `RefusedError` unless it stood at `expected`."""
        ...

    def clear_alias(self, model: str, alias: Alias, *, expected: int | None) -> None:
        """Remove an alias. Raises `RefusedError` unless it stood at `expected`."""
        ...

    def foreign(self) -> int:
        """How many things lie in the store that it did not put there, or did not finish."""
        ...

    def holdings(self) -> Holdings:
        """Everything in the store, damaged or not, and of whomever; it reads every file."""
        ...


@runtime_checkable
class Surveyed(Protocol):
    """What a store offers beside `ModelStore` where finding each version anew would be most of the work."""

    def survey(self, model: str) -> Callable[[int], StoredVersion]:
        """What answers as `get` does, for the versions of a model as they stand now."""
        ...


def getter_of(store: ModelStore, model: str) -> Callable[[int], StoredVersion]:
    """What hands out the versions of a model, for whoever wants many of them."""
    return store.survey(model) if isinstance(store, Surveyed) else functools.partial(store.get, model)


@runtime_checkable
class WeightPlaces(Protocol):
    """What a store offers beside `ModelStore` that keeps bytes where a walk through the workspace cannot see them.

    `erase` and `remove_copies` remove what `places_of` lists; a destruction asks again afterwards and believes only
    the answer. Places below the workspace are called as a walk calls them.
    """

    def places_of(self, weights: Digest) -> tuple[str, ...]:
        """Every place where bytes of these weights lie, its trash included, as a person would look for them."""
        ...

    def remove_copies(self, weights: Digest) -> None:
        """Remove these weights from every place that belongs to no version."""
        ...

    def outside(self) -> Mapping[str, Digest]:
        """The digests of the files with weights, going by their names, that lie outside the workspace."""
        ...

    def out_of_reach(self) -> tuple[str, ...]:
        """Where copies may lie that this store can neither list nor remove, one sentence each."""
        ...


def alias_moved(model: str, alias: Alias, *, found: int | None, expected: int | None) -> RefusedError:
    """The refusal of a compare-and-swap, worded the same by every store."""
    return RefusedError(
        f"The {alias} of {model} is {_spoken(found)}, not {_spoken(expected)}.",
        remedy="Somebody else moved it. Look at `maintain registry show` and decide again.",
    )


def number_taken(model: str, version: int) -> RefusedError:
    """The refusal of other content under a number that is taken, worded the same by every store."""
    return RefusedError(
        f"Version {version} of {model} is stored already, with other content.",
        remedy="A version never changes; register the new content under a new number.",
    )


def still_aliased(model: str, version: int) -> RefusedError:
    """The refusal to discard a version that somebody may be using."""
    return RefusedError(
        f"Version {version} of {model} has an alias and is not discarded.",
        remedy="Look at `maintain registry show`; a version that serves is retired, never discarded.",
    )


# --- private ---------------------------------------------------------------------------------------


def _spoken(version: int | None) -> str:
    return "unset" if version is None else f"version {version}"
