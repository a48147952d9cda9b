"""Pixels by digest: a folder of uint8 arrays that imaging reads without knowing the cohort.

One file an array, named by a digest over shape, type and bytes, so that equal pictures are stored
once. Files are not flushed one by one (5,000 flushes take minutes): a file torn by a power cut is
caught by its digest when it is read.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.errors import DamagedError, InputError
from maintain.hashing import Digest

Pixels: TypeAlias = NDArray[np.uint8]

#: Axes of a picture: height, width, channels.
AXES = 3

#: What a digest looks like; anything else never becomes a file name.
_DIGEST = re.compile(r"[0-9a-f]{64}")

#: The head of the files that `put` writes (NEP 1, version 1.0): unsigned bytes, C order, three axes.
_HEAD = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '\|u1', 'fortran_order': False, "
    rb"'shape': \(([1-9]\d*), ([1-9]\d*), ([1-9]\d*)\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ArrayStore:
    """A folder of pictures, written once and named by what they hold."""

    root: Path

    def put(self, array: Pixels) -> Digest:
        """Keep a picture and return its digest. The same picture again only mends a torn file."""
        digest = pixels_digest(array)
        path = self._path(digest)
        if not (path.exists() and _whole(path, digest)):
            _write(path, array)
        return digest

    def get(self, digest: Digest) -> Pixels:
        """The picture with that digest, read-only. Raises `DamagedError` unless it is exactly that one."""
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _damaged(digest, f"cannot be read ({error.strerror})") from error
        array = _parse(data)
        if array is None or _digest(array) != digest:
            raise _damaged(digest, "are no longer those that were stored")
        return array

    def load(self, digests: Sequence[Digest]) -> Pixels:
        """The pictures stacked in that order, [n, height, width, channels].

        Raises `InputError` when there are none or their shapes differ.
        """
        arrays = [self.get(digest) for digest in digests]
        shapes = sorted({array.shape for array in arrays})
        if len(shapes) != 1:
            found = ", ".join(" x ".join(map(str, shape)) for shape in shapes) or "no picture at all"
            raise InputError(
                f"These pictures cannot be stacked: found {found}.",
                remedy="Choose cases whose images have one size and the same number of channels.",
            )
        return np.stack(arrays)

    def has(self, digest: Digest) -> bool:
        """Whether there is a file for that digest; `get` says whether it is whole."""
        return _DIGEST.fullmatch(digest) is not None and self._path(digest).is_file()

    def remove(self, digest: Digest) -> int:
        """Remove the picture with that digest and what a killed process left of it; how many files went."""
        folder = self._path(digest).parent
        gone = [path for path in folder.glob("*") if digest in path.name] if folder.is_dir() else []
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def count(self) -> int:
        """How many different pictures are stored."""
        return sum(1 for path in self.root.glob("??/*.npy") if _DIGEST.fullmatch(path.stem))

    def _path(self, digest: Digest) -> Path:
        if _DIGEST.fullmatch(digest) is None:
            raise InputError("That is not a digest of pixels.", remedy="Name 64 hexadecimal characters.")
        return self.root / digest[:2] / f"{digest}.npy"


def pixels_digest(array: Pixels) -> Digest:
    """The digest of a picture over shape, type and bytes. Raises `InputError` unless it is uint8 (H, W, C)."""
    if array.dtype != np.uint8 or array.ndim != AXES or not array.size:
        raise InputError(
            f"Pixels must be uint8 (height, width, channels), not {array.dtype} {array.shape}.",
            remedy="Convert the picture before it is stored.",
        )
    return _digest(array)


def digest_in(data: bytes) -> Digest | None:
    """The digest of the picture in the bytes of a file that `put` wrote, whatever its name; None for any other."""
    array = _parse(data)
    return None if array is None else _digest(array)


# --- private ---------------------------------------------------------------------------------------


def _digest(array: Pixels) -> Digest:
    shape = ",".join(map(str, array.shape))
    running = hashlib.sha256(f"maintain.pixels:{array.dtype.name}:{shape}\n".encode())
    running.update(np.ascontiguousarray(array).data)
    return running.hexdigest()


def _write(path: Path, array: Pixels) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.write_bytes(stream.getbuffer())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _whole(path: Path, digest: Digest) -> bool:
    array = _parse(path.read_bytes())
    return array is not None and _digest(array) == digest


def _parse(data: bytes) -> Pixels | None:
    """The picture in a file of ours, or None. Stricter than numpy, whose reader raises anything."""
    head = _HEAD.match(data)
    if head is None:
        return None
    shape = tuple(int(head[axis]) for axis in range(1, AXES + 1))
    if math.prod(shape) != len(data) - head.end():
        return None
    return np.frombuffer(data, dtype=np.uint8, offset=head.end()).reshape(shape)


def _damaged(digest: Digest, what: str) -> DamagedError:
    return DamagedError(
        f"The stored pixels {digest[:12]} {what}.",
        remedy="Remove that file below `arrays` if it is there and ingest its source again.",
    )
