"""Versions as they lie in MLflow, read back against the digests of their record and of the list of files."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from maintain import codec
from maintain.errors import DamagedError, RecordError
from maintain.hashing import Digest, digest_bytes, digest_file
from maintain.records import ModelSpec, ModelVersion, TrainingManifest, Verdict
from maintain_registry import contents
from maintain_registry.mlflow_store import holders, payload, tags
from maintain_registry.mlflow_store.connection import READING, Connection, absent
from maintain_registry.port import Content, StoredVersion


def every(search: Callable[..., Any], filter_string: str) -> Iterator[Any]:
    """Every item that a paged search of MLflow finds."""
    token: str | None = None
    while True:
        page = search(filter_string=filter_string, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def stored_version(connection: Connection, model: str, number: int, item: Any) -> StoredVersion:
    """A version of MLflow as ours. Raises `DamagedError` where a description or a size is another.

    The weights of one that was erased are not asked for and not listed.
    """
    whole = f"version {number} of {model}"
    data = fetch(connection, item.source, payload.FILES_FILE, whole)
    if digest_bytes(data) != item.tags.get(tags.FILES):
        raise _damaged(f"{payload.FILES_FILE} of {whole}")
    try:
        listed = payload.listed_files(data)
        text = fetch(connection, item.source, payload.RECORD_FILE, whole).decode()
        record = codec.from_text(ModelVersion, text, source=payload.RECORD_FILE)
    except (RecordError, ValueError) as error:
        raise _damaged(f"{payload.RECORD_FILE} of {whole}") from error
    wanted = contents.expected_files(record)
    same = codec.digest_of(record) == item.tags.get(tags.RECORD) == listed.get(payload.RECORD_FILE, ("", 0))[0]
    named = {name: listed.get(name, ("", 0))[0] for name in wanted}
    if not same or (record.model, record.version) != (model, number) or named != wanted:
        raise _damaged(f"{payload.RECORD_FILE} of {whole}")
    wanted |= {name: digest for name, (digest, _) in listed.items() if name in contents.BESIDE_FILES}
    found = holders.sizes(connection, item.source)
    gone = contents.WEIGHTS_FILE if contents.ERASED_FILE in found else None
    for name, (_, size) in listed.items():
        if name != gone and found.get(name) != size:  # what is in it is asked when it is read
            raise _damaged(f"{name} of {whole}")

    def read(name: str) -> bytes:
        data = fetch(connection, item.source, name, whole)
        if digest_bytes(data) != wanted[name]:
            raise _damaged(f"{name} of {whole}")
        return data

    return StoredVersion(record, tuple(sorted(name for name in wanted if name != gone)), read)


def require_whole(connection: Connection, record: ModelVersion, location: str, listed: Digest) -> None:
    """Raise `DamagedError` unless what MLflow now holds is what was to be stored: read back, byte for byte."""
    whole = f"version {record.version} of {record.model}"
    wanted = {
        **contents.expected_files(record),
        payload.FILES_FILE: listed,
        payload.RECORD_FILE: codec.digest_of(record),
    }
    for name, digest in wanted.items():
        with fetched(connection, location, name, whole) as path:
            if digest_file(path) != digest:
                raise _damaged(f"{name}, while it was copied to {whole},")


def altered(connection: Connection, item: Any) -> int:
    """How many of the files by which MLflow asks a version are not what was stored."""
    try:
        listed = payload.listed_files(fetch(connection, item.source, payload.FILES_FILE, "a version"))
        digests = {name: digest for name, (digest, _) in listed.items() if name not in contents.DIGEST_FIELDS}
        found = {name: digest_bytes(fetch(connection, item.source, name, "a version")) for name in digests}
    except (DamagedError, ValueError):
        return 1
    return sum(found[name] != digest for name, digest in digests.items())


@contextmanager
def fetched(connection: Connection, location: str, name: str, whole: str) -> Iterator[Path]:
    """A file on this disk for the length of a block: where it lies, or a copy of it in the workspace.

    Raises `DamagedError` where it is gone.
    """
    with ExitStack() as stack:
        folder = None
        if not connection.embedded:
            stack.enter_context(_among_readers(connection.root, fcntl.LOCK_SH))
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=READING, dir=connection.root))
        try:
            path = Path(connection.files_at(location).download_artifacts(name, dst_path=folder))
        except Exception as error:
            if absent(error) or (isinstance(error, OSError) and not _of_network(error)):
                raise _damaged(f"{name} of {whole}") from error
            raise
        if not path.is_file():
            raise _damaged(f"{name} of {whole}")
        yield path


def forget_copies(connection: Connection) -> None:
    """Remove the copies that killed readers left, beginnings of files too; waits for whoever reads now."""
    with _among_readers(connection.root, fcntl.LOCK_EX):
        for copy in connection.root.glob(f"{READING}*"):
            shutil.rmtree(copy)


def fetch(connection: Connection, location: str, name: str, whole: str) -> bytes:
    """The bytes of one file. Raises `DamagedError` where it is gone."""
    with fetched(connection, location, name, whole) as path:
        return path.read_bytes()


def told_of(record: ModelVersion, files: Mapping[str, Content]) -> tuple[dict[str, str], str]:
    """Tags and card of a version, out of its own files. Raises `RecordError` for files that are something else."""
    spec = codec.from_text(ModelSpec, _text(files["spec.json"]), source="spec.json")
    manifest = codec.from_text(TrainingManifest, _text(files["manifest.json"]), source="manifest.json")
    judged = files.get("verdict.json")
    verdict = None if judged is None else codec.from_text(Verdict, _text(judged), source="verdict.json")
    return tags.tags_of(record, verdict), tags.card(record, spec, manifest, verdict)


# --- private ---------------------------------------------------------------------------------------

#: Held by everybody who has a copy of a file of a server, so that nobody else's is removed.
_READERS = ".readers"


@contextmanager
def _among_readers(root: Path, kind: int) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(root / _READERS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _of_network(error: Exception) -> bool:
    """The errors of `requests` are errors of the system to Python; a server that is away damaged nothing."""
    return type(error).__module__.partition(".")[0] in ("requests", "urllib3") or isinstance(error, ConnectionError)


def _text(content: Content) -> str:
    return (content if isinstance(content, bytes) else content.read_bytes()).decode("utf-8", errors="replace")


def _damaged(what: str) -> DamagedError:
    return DamagedError(
        f"{what} in the registry is not what was stored.",
        remedy="Restore the registry from a backup; the ledger holds the digests to compare with.",
    )
