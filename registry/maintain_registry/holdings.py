"""What lies in a store, told as it lies: an inspector's view, in which nothing raises because it is damaged.

`ModelStore` hands out only what is whole and ours. Whoever looks for what somebody else did there needs the
opposite: every version with every tag and the digest of every file, every alias, and what belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from maintain.hashing import Digest

#: The tag of a version that was promoted: the number of the ledger entry that decided it.
PROMOTION_TAG = "maintain.promotion"

#: Among the tags of a version: the digest of the card that people read.
CARD = "card"


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """One version as a store holds it: every file by the digest of the bytes that lie there now.

    `place` is what the store itself calls it; `number` is ours, None where it bears none. `listed` is what the
    store's own list says of the files that no record of ours names. `tags` is None in a store that has none.
    """

    model: str
    place: str
    number: int | None
    files: Mapping[str, Digest] = field(default_factory=dict)
    listed: Mapping[str, Digest] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class HeldAlias:
    """One alias as a store shows it; `number` is None where it points at no version of ours."""

    model: str
    name: str
    place: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in a store that belongs to no version; with a number where it says which one it was to be."""

    said: str
    model: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything in a store."""

    versions: tuple[HeldVersion, ...] = ()
    aliases: tuple[HeldAlias, ...] = ()
    strays: tuple[Stray, ...] = ()


@runtime_checkable
class Tagging(Protocol):
    """What a store offers beside `ModelStore` that shows facts of the ledger as tags."""

    def tags(self, model: str, version: int) -> Mapping[str, str]:
        """The tags of a version, its card by digest among them; the ledger keeps them as they were at first."""
        ...

    def show_promotion(self, model: str, version: int, entry: int) -> None:
        """Tag a version with the entry that promoted it. Said twice, or of a version that is gone, it is fine."""
        ...
