"""Boundaries kept in a folder, under the digest of everything that they were found from.

The network is frozen, so a resumed training must learn from the very labels it began with; and the search
costs more than several passes. The file is removed by whoever removes the folder's checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from maintain.codec import encode, write_bytes
from maintain.errors import DamagedError
from maintain.hashing import Digest, digest_bytes, digest_json
from maintain.records import Step
from maintain.unlearn.boundary.labels import Boundary
from maintain.unlearn.boundary.options import BoundaryOptions

#: Schema of the file and version of the search, part of every key: raised when equal inputs would find other labels.
_SCHEMA = "maintain.boundary@1"


class Kept(StrEnum):
    """Where a boundary came from, in words for the log."""

    READ = "read"
    """The kept one of this very search."""
    NONE_YET = "searched: none was kept"
    """There was no file."""
    ANOTHER = "searched: the kept one is of another search"
    """Other weights, cases, options, seed or preprocessing; or another version of the search."""
    DAMAGED = "searched: the kept one is damaged"
    """Not a whole file, or its content is not what its digest names."""


def boundary_key(
    *, weights: Digest, cases: Digest, preprocessing: Sequence[Step], options: BoundaryOptions, seed: int
) -> Digest:
    """The digest of everything that decides what a search finds."""
    return digest_json([_SCHEMA, weights, cases, [encode(step) for step in preprocessing], asdict(options), seed])


@dataclass(frozen=True, slots=True)
class BoundaryCache:
    """The one boundary that a folder keeps."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / "boundary.safetensors"

    def read(self, key: Digest) -> Boundary | None:
        """The boundary of that key; None when there is no file, or one of another key.

        Raises:
            DamagedError: The file is not whole, or its tensors are not those that its digest names.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                said = (file.metadata() or {}).get(_SAID)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        except (OSError, SafetensorError, ValueError) as error:
            raise self._damaged() from error
        if set(tensors) != _NAMES or said is None:
            raise self._damaged()
        kept_key, _, content = said.partition(" ")
        if kept_key != key:
            return None
        if content != digest_bytes(save(tensors)):
            raise self._damaged()
        return Boundary(**tensors)

    def write(self, key: Digest, boundary: Boundary) -> None:
        """Keep this boundary in the place of the one before, whole or not at all."""
        tensors = {name: _plain(getattr(boundary, name)) for name in _NAMES}
        write_bytes(self.path, save(tensors, metadata={_SAID: f"{key} {digest_bytes(save(tensors))}"}))

    def read_or_search(self, key: Digest, search: Callable[[], Boundary]) -> tuple[Boundary, Kept]:
        """The kept boundary of that key, else a new one that is kept from now on; and why it was searched."""
        reason = Kept.ANOTHER if self.path.exists() else Kept.NONE_YET
        try:
            kept = self.read(key)
        except DamagedError:
            kept, reason = None, Kept.DAMAGED
        if kept is not None:
            return kept, Kept.READ
        found = search()
        self.write(key, found)
        return found, reason

    def _damaged(self) -> DamagedError:
        return DamagedError(
            f"The kept boundary {self.path.name} is not what was written.",
            remedy="Remove it, or let `read_or_search` find the labels again.",
        )


# --- private ---------------------------------------------------------------------------------------

#: The one entry of the file's metadata, "key content-digest"; safetensors writes several in no fixed order.
_SAID = "maintain.boundary"
_NAMES = frozenset(field.name for field in fields(Boundary))


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()
