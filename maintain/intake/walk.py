"""The files below a folder, in one order everywhere, known for DICOM by what they hold.

A third of the archives write no extension, so names decide nothing; and names are often those of
patients, so a file's place leaves this room as a pseudonym. Links are followed once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maintain.errors import InputError
from maintain.intake.dicom import MARK, MARK_OFFSET, is_dicom
from maintain.intake.identity import Pseudonyms
from maintain.intake.reading import RejectionReason


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a source: the pseudonym of its place there, how it looked, what already speaks against it."""

    path: str
    location: Path = field(repr=False)
    size: int
    mtime_ns: int
    refused: RejectionReason | None


def find_files(folder: Path, pseudonyms: Pseudonyms) -> tuple[FoundFile, ...]:
    """Every regular file below a folder, sorted by its name there, so that every machine reads in one order.

    Raises `InputError` when the folder is missing, empty, or holds no DICOM file.
    """
    if not folder.is_dir():
        raise InputError("There is no such folder to read from.", remedy="Name the folder that holds the files.")
    places = sorted((_place(location, folder), location) for location in _walk(folder))
    found = tuple(_look(location, pseudonyms.file(place)) for place, location in places)
    if not found:
        raise InputError("The folder holds no file.", remedy="Name the folder that holds the DICOM files.")
    if all(file.refused is not None for file in found):
        raise InputError(
            f"None of the {len(found)} files in the folder is a DICOM file.",
            remedy="Name the folder that holds the DICOM files (they carry `DICM` at byte 128).",
        )
    return found


# --- private ---------------------------------------------------------------------------------------


def _walk(folder: Path) -> Iterator[Path]:
    """Files, and folders that cannot be listed: those are counted too, not passed over."""
    waiting, seen = [folder], {_mark(folder)}
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError:
            yield here
            continue
        for entry in entries:
            mark = _mark(entry)
            if mark is None:
                yield entry
            elif mark not in seen:
                seen.add(mark)
                waiting.append(entry)


def _mark(entry: Path) -> tuple[int, int] | None:
    """What makes a folder the same folder under another name; None for everything else."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _place(location: Path, folder: Path) -> str:
    return os.fsencode(location.relative_to(folder)).decode("utf-8", "backslashreplace")


def _look(location: Path, place: str) -> FoundFile:
    try:
        status = location.stat()
        refused = _sniff(location) if stat.S_ISREG(status.st_mode) else RejectionReason.UNREADABLE
    except OSError:
        return FoundFile(place, location, 0, 0, RejectionReason.UNREADABLE)
    return FoundFile(place, location, status.st_size, status.st_mtime_ns, refused)


def _sniff(location: Path) -> RejectionReason | None:
    with location.open("rb") as stream:
        start = stream.read(MARK_OFFSET + len(MARK))
    return None if is_dicom(start) else RejectionReason.NOT_DICOM
