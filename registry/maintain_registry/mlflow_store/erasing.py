"""Weights in MLflow found by their bytes and removed for good, by the interface of its artifacts alone.

MLflow's own deletions are marks that leave every byte, and its `gc` asks for the database. Here all files of all
experiments of ours are asked, of deleted ones and of deleted runs and LoggedModels too, whatever they are called.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.errors import DamagedError
from maintain.hashing import Digest, digest_bytes, digest_file
from maintain.records import ModelVersion
from maintain_registry import contents
from maintain_registry.mlflow_store import holders, payload, reading, tags
from maintain_registry.mlflow_store.connection import ARTIFACTS_FOLDER, STAGING, Connection, absent

#: What neither MLflow's interface nor a walk can see; a tombstone says so.
OUT_OF_REACH = (
    "rows of MLflow's database, their backups included: they hold no weights but name them by digest",
    "copies that clients of MLflow downloaded, and servers that loaded the version",
)

#: The same of a server, whose disk nobody here can read.
OUT_OF_REACH_OF_A_SERVER = (
    "backups of the MLflow server's files, and earlier versions that its object store keeps of each",
    "what lies on the MLflow server outside the experiments of this registry, or in another form than its file",
    "beginnings of files that a killed MLflow server left on its disk and does not list",
)

#: How the files that hold weights are called in every place of our own making.
_SUFFIX = Path(contents.WEIGHTS_FILE).suffix


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in MLflow: its name below the files of an experiment, and its size where MLflow says one."""

    home: str
    name: str
    size: int | None

    @property
    def address(self) -> str:
        """What MLflow calls its place."""
        return f"{self.home}/{self.name}"


def holding(connection: Connection, weights: Digest) -> tuple[Kept, ...]:
    """Every file with exactly these bytes. Raises `DamagedError` for one that is listed and cannot be read."""
    sizes = _sizes_of(connection, weights)
    same = (item for item in _kept(connection) if not sizes or item.size is None or item.size in sizes)
    return tuple(item for item in same if _digest(connection, item) == weights)


def outside(connection: Connection) -> Mapping[str, Digest]:
    """The digests of the files with weights on a server, going by their names; none where they lie in the workspace."""
    if connection.embedded:
        return {}
    return {item.address: _digest(connection, item) for item in _kept(connection) if item.name.endswith(_SUFFIX)}


def mark(connection: Connection, location: str, record: ModelVersion) -> None:
    """Leave `ERASED_FILE` among the files of a version; from then on its weights are not listed."""
    repository = connection.files_at(location)
    if contents.ERASED_FILE in holders.sizes(connection, location):
        return
    with tempfile.TemporaryDirectory(prefix=f"{STAGING}{record.model}-", dir=connection.root) as staging:
        marker = Path(staging) / contents.ERASED_FILE
        marker.write_bytes(contents.erased_marker(record))
        repository.log_artifact(str(marker))
    if connection.embedded:
        holders.flush(holders.folder_of(location))


def remove(connection: Connection, weights: Digest, own: str | None = None) -> None:
    """Remove every file with these bytes but those of versions; of the version whose files lie at `own`, too, and last.

    Files of a version whose tags somebody edited count as nobody's.
    """
    others = tuple(f"{item.source}/" for item in _versions(connection, weights) if item.source != own)
    last = () if own is None else (f"{own}/",)
    found = [item for item in holding(connection, weights) if not item.address.startswith(others)]
    for item in sorted(found, key=lambda item: (item.address.startswith(last), item.address)):
        _delete(connection, item)


# --- private ---------------------------------------------------------------------------------------


def _kept(connection: Connection) -> Iterator[Kept]:
    """Every file in MLflow that may be ours: of every experiment of the registry, deleted ones included."""
    if connection.embedded:
        home = connection.root.absolute() / ARTIFACTS_FOLDER
        for folder, _, names in os.walk(home):
            for path in (Path(folder) / name for name in sorted(names)):
                if path.is_file():
                    yield Kept(home.as_uri(), path.relative_to(home).as_posix(), path.stat().st_size)
        return
    for home in sorted({item.artifact_location for item in holders.experiments(connection)}):
        for name, size in holders.sizes(connection, home).items():
            yield Kept(home, name, size)


def _delete(connection: Connection, item: Kept) -> None:
    try:
        connection.files_at(item.home).delete_artifacts(item.name)
    except Exception as error:
        if not absent(error):
            raise
    if connection.embedded:
        holders.flush(holders.folder_of(item.address).parent)


def _digest(connection: Connection, item: Kept) -> Digest:
    if connection.embedded:
        return digest_file(holders.folder_of(item.home) / item.name)
    with reading.fetched(connection, item.home, item.name, "the registry") as path:
        return digest_file(path)


def _versions(connection: Connection, weights: Digest) -> tuple[Any, ...]:
    """The versions of ours in MLflow whose record names these weights."""
    mine = f"tags.`{tags.WEIGHTS}` = '{weights}'"
    found = reading.every(connection.client().search_model_versions, mine)
    return tuple(item for item in found if tags.number_of(item.tags) is not None)


def _sizes_of(connection: Connection, weights: Digest) -> frozenset[int]:
    """How long these weights are, said by the list of files of a version that has them; empty where one cannot say it.

    A file of another length holds other bytes and need not be fetched.
    """
    sizes = set()
    for item in _versions(connection, weights):
        try:
            data = reading.fetch(connection, item.source, payload.FILES_FILE, "a version")
            digest, size = payload.listed_files(data).get(contents.WEIGHTS_FILE, ("", 0))
        except (DamagedError, ValueError):
            return frozenset()
        if digest_bytes(data) != item.tags.get(tags.FILES) or digest != weights:
            return frozenset()
        sizes.add(size)
    return frozenset(sizes)
