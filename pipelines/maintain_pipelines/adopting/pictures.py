"""What the adopted network reads of each case: stored pixels through named steps, or arrays that were handed in.

Arrays are read where they lie until the model is installed; a refused adoption leaves nothing in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maintain.arrays import ArrayStore, pixels_digest
from maintain.cohort import Standing
from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.imaging import PixelSource
from maintain.imaging.adopting import Levels, NamedTransform, chain_of, levels_of, read_array, shape_after
from maintain.intake import Pseudonyms, read_files
from maintain.records import Step
from maintain_pipelines.adopting.order import AdoptionOrder
from maintain_pipelines.context import Context
from maintain_policies import read_named

#: The table in a folder of arrays whose files are not named by SOPInstanceUID.
INDEX_FILE = "index.csv"


@dataclass(frozen=True, slots=True)
class Pictures:
    """The steps, the picture of each case by digest, where pictures are read, and what the network reads of one.

    `rounding` is how far a value of an array may have moved; `keep` puts arrays into the workspace's cache.
    """

    steps: tuple[Step, ...]
    digests: Mapping[str, Digest]
    source: PixelSource
    input_shape: tuple[int, ...]
    rounding: float
    keep: Callable[[], None]


def pictures_of(
    order: AdoptionOrder, standings: Sequence[Standing], pseudonyms: Pseudonyms, context: Context
) -> Pictures:
    """How the model sees the cohort. Raises `InputError` for a chain or arrays that cannot be read."""
    if not standings:
        raise InputError("The cohort is empty.", remedy="Ingest images with `maintain cohort ingest` first.")
    steps = None if order.preprocessing is None else _steps(order.preprocessing)
    if order.arrays is not None:
        return _handed_in(order.arrays, steps, standings, pseudonyms, context)
    assert steps is not None, "the order has one of the two"
    digests = {case.case_id: case.pixels for case in standings}
    first = context.arrays.get(standings[0].pixels)
    return Pictures(steps, digests, context.arrays, shape_after(steps, first), 0.0, lambda: None)


def as_seen(standings: Sequence[Standing], pictures: Pictures) -> tuple[Standing, ...]:
    """Every case with the picture that the model reads of it; one that has none is as good as unlabelled."""
    return tuple(
        replace(case, pixels=pictures.digests[case.case_id])
        if case.case_id in pictures.digests
        else replace(case, label=None)
        for case in standings
    )


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Folder:
    """Arrays on disk as pictures, by digest."""

    paths: Mapping[Digest, Path]
    levels: Levels

    def load(self, digests: Sequence[Digest], /) -> NDArray[np.uint8]:
        return np.stack([self.levels.picture(read_array(self.paths[digest])) for digest in digests])

    def put_into(self, arrays: ArrayStore) -> None:
        for digest in self.paths:
            arrays.put(self.load([digest])[0])


def _steps(path: Path) -> tuple[Step, ...]:
    entries = read_named(path, what="preprocessing")
    return chain_of([NamedTransform(entry.name, entry.options, entry.place) for entry in entries])


def _handed_in(
    folder: Path,
    steps: tuple[Step, ...] | None,
    standings: Sequence[Standing],
    pseudonyms: Pseudonyms,
    context: Context,
) -> Pictures:
    cases = {case.case_id for case in standings}
    files = {case_id: path for case_id, path in _files(folder, pseudonyms).items() if case_id in cases}
    if not files:
        raise InputError(
            "None of the arrays is of a case in the cohort.",
            remedy=f"Name them SOPInstanceUID.npy, or list them in {INDEX_FILE} (SOPInstanceUID, file) beside them.",
        )
    levels = levels_of(files.values())
    if steps is not None and not levels.whole:
        raise InputError(
            "Arrays of floats are what the network reads already; there is nothing left to preprocess.",
            remedy="Leave --preprocessing out, or give uint8 arrays.",
        )
    digests = {case_id: pixels_digest(levels.picture(read_array(path))) for case_id, path in files.items()}
    pictures = _Folder({digests[case_id]: path for case_id, path in files.items()}, levels)
    chain = levels.steps() if steps is None else steps
    first = pictures.load([next(iter(digests.values()))])[0]
    return Pictures(
        chain,
        digests,
        pictures,
        shape_after(chain, first),
        levels.rounding,
        lambda: pictures.put_into(context.arrays),
    )


def _files(folder: Path, pseudonyms: Pseudonyms) -> Mapping[str, Path]:
    """The file of each case, by the table beside them or by their names."""
    if not folder.is_dir():
        raise InputError("There is no such folder of arrays.", remedy="Name the folder that holds the .npy files.")
    if (folder / INDEX_FILE).exists():
        return {row.case_id: folder / row.file for row in read_files(folder / INDEX_FILE, pseudonyms)}
    try:
        paths = sorted(folder.glob("*.npy"))
    except OSError as error:
        raise InputError(
            f"The folder of arrays cannot be read ({error.strerror}).", remedy="Name one that can."
        ) from error
    return {pseudonyms.uid("instance", path.stem): path for path in paths}
