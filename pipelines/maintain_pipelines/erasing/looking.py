"""A look at every file of a workspace for people's marks: pictures by digest, texts and bytes by what they hold.

A file is told by what is in it and not by what it is called, so a copy under another name is found, too. What cannot
be read, and archives, are counted as closed: nobody can say what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maintain.arrays import digest_in
from maintain.cohort import Marks
from maintain.settings import Workspace
from maintain_pipelines.weight_walk import HEAD_BYTES, files_below, is_archive

#: Bytes of a file that are searched at once; large files are tables and weights.
CHUNK_BYTES = 1 << 24

#: Bytes that are searched with both chunks that meet there, so that no mark is cut in two: more than any mark has.
OVERLAP_BYTES = 1 << 10

#: The longest file that may be one picture, and is read whole to take its digest.
PICTURE_BYTES = 1 << 28

#: How a file begins that numpy wrote. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
NUMPY = b"\x93NUMPY"

#: What stands behind the database's name in the names of the files that SQLite keeps beside it.
BESIDE_DATABASE = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Naming:
    """A file in which marks stand, or whose place holds one: its path, and their kinds."""

    path: Path
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Looked:
    """How many files were looked at; those that are one of the pictures; those that name somebody; the closed ones."""

    files: int
    pictures: tuple[Path, ...]
    naming: tuple[Naming, ...]
    closed: tuple[Path, ...]


def look(workspace: Workspace, marks: Marks) -> Looked:
    """Look at every file of a workspace but the database, whose rows are asked instead.

    Files of registered versions may name cases: a manifest answers who was learned from, for ever.
    """
    rows = {workspace.database.with_name(workspace.database.name + end) for end in BESIDE_DATABASE}
    files, pictures, naming, closed = 0, list[Path](), list[Naming](), list[Path]()
    for path in files_below(workspace.root):
        if path in rows:
            continue
        files += 1
        try:
            found = _Found.of(path, marks)
        except OSError:
            closed.append(path)
            continue
        kinds = found.kinds | marks.within(path.relative_to(workspace.root).as_posix().encode())
        if path.is_relative_to(workspace.registry):
            kinds -= {"cases"}
        if found.picture:
            pictures.append(path)
        elif kinds:
            naming.append(Naming(path, kinds))
        if found.closed:
            closed.append(path)
    return Looked(files, tuple(pictures), tuple(naming), tuple(closed))


def names(path: Path, marks: Marks) -> frozenset[str]:
    """The kinds of marks in one file."""
    return _Found.of(path, marks).kinds


def bytes_naming(path: Path, marks: Marks) -> frozenset[str]:
    """The kinds of marks that stand in the bytes of a file, whatever it is."""
    found: frozenset[str] = frozenset()
    with path.open("rb") as stream:
        before = b""
        while chunk := stream.read(CHUNK_BYTES):
            found |= marks.within(before + chunk)
            before = chunk[-OVERLAP_BYTES:]
    return found


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """What one file is to the people who are looked for."""

    picture: bool
    kinds: frozenset[str]
    closed: bool

    @classmethod
    def of(cls, path: Path, marks: Marks) -> _Found:
        if not path.is_file():
            return cls(False, frozenset(), path.is_symlink())
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if head.startswith(NUMPY) and path.stat().st_size <= PICTURE_BYTES:
            digest = digest_in(path.read_bytes())
            if digest is not None:  # a whole picture of ours, and nothing but that
                return cls(digest in marks.pixels, frozenset(), False)
        return cls(False, bytes_naming(path, marks), is_archive(head))
