"""The head file: number and hash of every entry, one line an append, outside the database.

Whoever rewrites the database must also rewrite this file; kept on another host it anchors the
chain. It is written after the commit, so after a crash it may be behind, never ahead.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TypeAlias

from maintain.errors import BrokenChainError, WorkspaceError
from maintain.hashing import Digest

#: (number, hash) of one entry.
Head: TypeAlias = tuple[int, Digest]


def read_heads(path: Path) -> bytes | None:
    """The head file as it stands, or None when there is none."""
    try:
        with _locked(path, os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
            return _content(descriptor)
    except FileNotFoundError:
        return None


def complete(path: Path, chain: Callable[[], Sequence[Head]]) -> None:
    """Add the lines that are missing, flushed to the disk; the chain is read under the file's lock.

    Raises `BrokenChainError` when the file is ahead of the chain or different from it.
    """
    require_folder(path)
    with _locked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as descriptor:
        missing = memoryview(behind(_content(descriptor), chain()))
        while missing:
            missing = missing[os.write(descriptor, missing) :]
        os.fsync(descriptor)
    _flush_folder(path.parent)


def require_folder(path: Path) -> None:
    """Raise `WorkspaceError` when the folder is absent: made anew, it would hide an unmounted disk."""
    if not path.parent.is_dir():
        raise WorkspaceError(
            f"The folder of the head file {path.name} is not there.",
            remedy="Mount or make that folder, or name another in `[ledger] heads`.",
        )


def behind(found: bytes, chain: Sequence[Head]) -> bytes:
    """What the file lacks; empty when it agrees. A last line that was cut short is completed.

    Raises `BrokenChainError` naming the first entry whose line is ahead, different or malformed.
    """
    wanted = b"".join(head_line(head) for head in chain)
    if wanted.startswith(found):
        return wanted[len(found) :]
    lines = zip_longest(found.splitlines(keepends=True), wanted.splitlines(keepends=True))
    number = next(index for index, (ours, theirs) in enumerate(lines, start=1) if ours != theirs)
    raise ahead(len(chain)) if number > len(chain) else disagreement(number)


def ahead(entries: int) -> BrokenChainError:
    """The refusal when the head file has more lines than the ledger has entries."""
    return BrokenChainError(
        f"The head file knows entry {entries + 1}; the ledger ends at {entries}.",
        entry=entries + 1,
        remedy="Entries were removed from the ledger, or its database was replaced by an older copy.",
    )


def disagreement(number: int) -> BrokenChainError:
    """The refusal when a line of the head file is not the one its entry should have."""
    return BrokenChainError(
        f"Entry {number} of the ledger and its line in the head file disagree.",
        entry=number,
        remedy="One of the two was changed; compare both with a copy kept on another host.",
    )


def head_line(head: Head) -> bytes:
    """The line of one entry."""
    number, digest = head
    return f"{number} {digest}\n".encode()


# --- private ---------------------------------------------------------------------------------------


@contextmanager
def _locked(path: Path, flags: int, lock: int) -> Iterator[int]:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(descriptor, lock)
        yield descriptor
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    parts: list[bytes] = []
    position = 0
    while position < size and (part := os.pread(descriptor, size - position, position)):
        parts.append(part)
        position += len(part)
    return b"".join(parts)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The head file {path.name} cannot be used ({error.strerror}).",
        remedy="Check the mode and the disk of that file, or name another in `[ledger] heads`.",
    )
