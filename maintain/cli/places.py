"""Folders that a command is to fill: one that cannot be written is wrong input, and no error of the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maintain.errors import InputError


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """While a folder is filled. Raises `InputError` where the system refuses that."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be filled ({error.strerror or type(error).__name__}).",
            remedy="Name a new folder where this user may write and the disk has room.",
        ) from error
