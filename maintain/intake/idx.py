"""IDX folders (MNIST, Fashion-MNIST) as pixels and labels: the public images that benchmarks learn from.

The format is LeCun's: two zero bytes, a type, the number of axes, each side as a big-endian number of
four bytes, then the values. No patient is behind these files, so nothing here makes a pseudonym.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maintain.errors import InputError

#: Where the Debian package `dataset-fashion-mnist` puts its four files.
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


class IdxPart(StrEnum):
    """The two parts of a data set, by what their file names begin with."""

    TRAIN = "train"
    """What models learn from."""
    TEST = "t10k"
    """What they are tested on."""


@dataclass(frozen=True, slots=True)
class IdxImages:
    """One part: uint8 images [N, height, width, 1] and one label from 0 to 255 for each, both read-only."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def read_idx(folder: Path, part: IdxPart) -> IdxImages:
    """One part of a data set. Files may be compressed; one that is there plainly is preferred.

    Raises:
        InputError: A file is missing, not IDX, truncated, too long, or the two do not belong together.
    """
    images = _read(folder, f"{part.value}-images-idx3-ubyte", axes=3)
    labels = _read(folder, f"{part.value}-labels-idx1-ubyte", axes=1)
    if len(images) != len(labels):
        raise InputError(
            f"The part {part.value!r} has {len(images)} images and {len(labels)} labels.",
            remedy="Take both files from one release of the data set.",
        )
    return IdxImages(images[..., np.newaxis], labels)


# --- private ---------------------------------------------------------------------------------------

#: The type byte of unsigned bytes, the only one that these data sets use.
_UNSIGNED_BYTE = 0x08


def _read(folder: Path, name: str, *, axes: int) -> NDArray[np.uint8]:
    found = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
    if found is None:
        raise InputError(
            f"There is no {name} and no {name}.gz in the folder.",
            remedy="Give a folder with the four IDX files of MNIST or Fashion-MNIST.",
        )
    data = _bytes(found)
    head = struct.calcsize(f">4B{axes}I")
    if data[:4] != bytes((0, 0, _UNSIGNED_BYTE, axes)):
        raise _refused(found, f"does not begin as an IDX file of unsigned bytes with {axes} axes does")
    if len(data) < head:
        raise _refused(found, "is truncated in its head")
    shape = struct.unpack(f">{axes}I", data[4:head])
    promised, there = math.prod(shape), len(data) - head
    if not promised:
        raise _refused(found, f"says that its sides are {shape}, which leaves nothing")
    if there != promised:
        raise _refused(found, f"holds {there} values, not the {promised} of its head")
    return np.frombuffer(data, dtype=np.uint8, offset=head).reshape(shape)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except EOFError as error:
        raise _refused(path, "is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _refused(path, "is not a whole gzip file") from error
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error


def _refused(path: Path, what: str) -> InputError:
    return InputError(f"The file {path.name} {what}.", remedy="Fetch it again from where the data set is published.")
