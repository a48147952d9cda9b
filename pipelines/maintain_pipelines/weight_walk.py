"""A walk through the whole workspace that finds every file with weights by what it holds, not by what it is called.

The register says where weights should lie; this says where they do. Copies, unfinished writes and checkpoints count.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maintain.errors import WorkspaceError
from maintain.hashing import CHUNK_BYTES, Digest, digest_file

#: A safetensors file begins with the length of its header (eight bytes, little-endian) and the brace of its JSON.
LENGTH_BYTES, HEADER_LIMIT, BRACE = 8, 100_000_000, b"{"

#: What torch writes is a zip; so are archives that a person made.
ZIP = b"PK\x03\x04"

#: Beginnings of other archives: gzip, xz, bzip2, zstandard.
ARCHIVES = (b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd")

#: Where a tar archive says that it is one. https://www.gnu.org/software/tar/manual/html_node/Standard.html
TAR_OFFSET, TAR = 257, b"ustar"

#: Bytes that are looked at to tell what a file is.
HEAD_BYTES = TAR_OFFSET + len(TAR)


@dataclass(frozen=True, slots=True)
class Lying:
    """A file with weights: its place, the digest of its bytes, and of the weights in it."""

    place: str
    file: Digest
    weights: Digest


@dataclass(frozen=True, slots=True)
class Walk:
    """How many files were looked at, those with weights, and those that could not be read or opened."""

    files: int
    lying: tuple[Lying, ...]
    closed: tuple[str, ...]

    def holding(self, weights: Digest) -> tuple[Lying, ...]:
        """The files that hold these weights, whatever their form."""
        return tuple(item for item in self.lying if weights in (item.weights, item.file))


def walk(root: Path) -> Walk:
    """Look at every file below a folder, links to folders followed. What cannot be read or opened is listed."""
    files, lying, closed = 0, list[Lying](), list[str]()
    for path in files_below(root):
        files += 1
        place = path.relative_to(root).as_posix()
        try:
            found = _look(path, place)
        except OSError:
            closed.append(place)
            continue
        if isinstance(found, tuple):
            lying.extend(found)
        elif found:
            closed.append(place)
    by_place = sorted(lying, key=lambda item: item.place)
    return Walk(files, tuple(by_place), tuple(sorted(closed)))


def files_below(root: Path) -> Iterator[Path]:
    """Every file below a folder, links to folders followed; a folder is entered once, however many links lead there."""
    seen: set[tuple[int, int]] = set()
    for folder, inner, names in os.walk(root, followlinks=True, onerror=_refuse):
        inner.sort()
        found = Path(folder).stat()
        if (found.st_dev, found.st_ino) in seen:
            inner.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        yield from (Path(folder) / name for name in sorted(names))


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so may hide others; what torch writes is a zip without compression."""
    return head.startswith((ZIP, *ARCHIVES)) or head[TAR_OFFSET:HEAD_BYTES] == TAR


def begins(part: Path, whole: Path) -> bool:
    """Whether a file is a beginning of another one: what a killed process copied so far."""
    with part.open("rb") as one, whole.open("rb") as other:
        while chunk := one.read(CHUNK_BYTES):
            if chunk != other.read(len(chunk)):
                return False
    return True


# --- private ---------------------------------------------------------------------------------------


def _refuse(error: OSError) -> None:
    raise WorkspaceError(
        f"A folder of the workspace cannot be read ({error.strerror}), so nobody can say what lies in it.",
        remedy="Give this user the right to read the whole workspace, and say it again.",
    ) from error


def _look(path: Path, place: str) -> tuple[Lying, ...] | bool:
    """The weights in a file, a checkpoint may hold two; else whether something may be hidden in it."""
    if not path.is_file():
        return path.is_symlink()
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if _is_safetensors(head):
        digest = digest_file(path)
        return (Lying(place, digest, digest),)
    if head.startswith(ZIP):
        from maintain.unlearn import weights_in_checkpoint  # torch, which a workspace without checkpoints needs not

        found = weights_in_checkpoint(path)
        file = digest_file(path) if found else ""
        return tuple(Lying(place, file, weights) for weights in sorted(found)) or True
    return head.startswith(ARCHIVES) or head[TAR_OFFSET:] == TAR


def _is_safetensors(head: bytes) -> bool:
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    return 0 < length <= HEADER_LIMIT and head[LENGTH_BYTES : LENGTH_BYTES + 1] == BRACE
