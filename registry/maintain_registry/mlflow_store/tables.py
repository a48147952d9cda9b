"""The tables of MLflow over SQLite: made beside their place and put there whole.

MLflow makes them by some seventy migrations and has each brought to the disk, which takes ten times as long
as the work. Here nobody sees them before they are complete, so the disk is asked once, at the end.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from maintain.errors import WorkspaceError


def make_tables(place: Path, *, partial: str) -> None:
    """Put a database with MLflow's empty tables there; of several makers one wins, and the others leave it.

    `partial` begins the name of the folder beside it in which they are made. Raises `WorkspaceError` where
    nothing can be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=partial, dir=place.parent) as folder:
            made = Path(folder) / place.name
            _migrate(f"sqlite:///{made}")
            _flush(made)
            with suppress(FileExistsError):
                os.link(made, place)
        _flush(place.parent)
    except OSError as error:
        raise WorkspaceError(
            f"The tables of the registry cannot be written ({error.strerror}).",
            remedy="Check the mode of the registry folder and the space on its disk.",
        ) from error


# --- private ---------------------------------------------------------------------------------------


def _migrate(address: str) -> None:
    from mlflow import MlflowClient

    with _unflushed():
        MlflowClient(tracking_uri=address, registry_uri=address).search_registered_models(max_results=1)


@contextmanager
def _unflushed() -> Iterator[None]:
    """Let every database that is opened now leave flushing to us, and close it afterwards."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    opened: list[Any] = []

    def relax(connection: Any, _: object) -> None:
        connection.execute("pragma synchronous = off")
        opened.append(connection)

    event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        event.remove(Engine, "connect", relax)
        for connection in opened:
            connection.close()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
