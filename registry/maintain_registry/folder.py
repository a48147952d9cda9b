"""The registry as a folder: `<model>/v0001/` with its files, and `aliases.json` beside them.

A version appears whole or not at all (written in a staging folder, flushed, renamed) and is read
back against the digests in its record, so that a backup tool or an editor cannot change it unseen.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maintain import codec
from maintain.errors import DamagedError, RecordError, UnknownNameError, WorkspaceError
from maintain.hashing import CHUNK_BYTES, canonical_json, digest_bytes
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry import contents
from maintain_registry.folder_holdings import folder_holdings, strays_in
from maintain_registry.holdings import Holdings
from maintain_registry.port import Content, StoredVersion, alias_moved, number_taken, still_aliased

RECORD_FILE = "version.json"
FILES_FILE = "files.json"
ALIASES_FILE = "aliases.json"

#: Schema name and version of the files that are not records of the house.
FILES_SCHEMA = ("maintain.version-files", 1)
ALIASES_SCHEMA = ("maintain.aliases", 1)


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A `ModelStore` below one folder, safe for several processes on one machine."""

    root: Path

    def models(self) -> tuple[str, ...]:
        """The models that have at least one version, sorted."""
        if not self.root.is_dir():
            return ()
        names = (item.name for item in self.root.iterdir() if contents.is_model_name(item.name))
        return tuple(sorted(name for name in names if self.versions(name)))

    def versions(self, model: str) -> tuple[int, ...]:
        """The stored numbers of a model, ascending."""
        folder = self._model(model)
        if not folder.is_dir():
            return ()
        found = (_numbered(item.name) for item in folder.iterdir())
        return tuple(sorted(number for number in found if number is not None))

    def get(self, model: str, version: int) -> StoredVersion:
        """One version. Raises `UnknownNameError` when absent, `DamagedError` when changed."""
        folder = self._version(model, version)
        if not folder.is_dir():
            raise UnknownNameError(f"version of {model}", str(version), map(str, self.versions(model)))
        record = _record(folder, model, version)
        listed = _document(folder / FILES_FILE, FILES_SCHEMA)
        wanted = contents.expected_files(record)
        named = {name: digest for name, (digest, _) in _listed(folder, listed).items()}
        wanted |= {name: digest for name, digest in named.items() if name in contents.BESIDE_FILES}
        if named != wanted:
            raise _damaged(f"{FILES_FILE} of {model} version {version}")
        gone = _erased(folder)
        for name, (_, size) in _listed(folder, listed).items():
            if name == gone:
                continue
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise _damaged(f"{name} of {model} version {version}")

        def read(name: str) -> bytes:
            try:
                data = (folder / name).read_bytes()
            except OSError as error:
                raise _damaged(f"{name} of {model} version {version}") from error
            if digest_bytes(data) != wanted[name]:
                raise _damaged(f"{name} of {model} version {version}")
            return data

        return StoredVersion(record, tuple(sorted(name for name in wanted if name != gone)), read)

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        """Store a version whole. Raises `RefusedError` when its number holds other content."""
        contents.check(version, files)
        place = self._version(version.model, version.version)
        with self._locked(version.model) as folder:
            if place.exists():
                if self.get(version.model, version.version).record != version:
                    raise number_taken(version.model, version.version)
                return
            for stale in folder.glob(f"{_STAGING}*"):
                shutil.rmtree(stale)
            staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
            staging.chmod(0o755)
            _fill(staging, version, files)
            staging.rename(place)
            _flush_folder(folder)

    def discard(self, model: str, version: int) -> None:
        """Remove a version that was never registered. Raises `RefusedError` when it has an alias."""
        place = self._version(model, version)
        with self._locked(model) as folder:
            if version in self._aliases(model).values():
                raise still_aliased(model, version)
            if place.exists():
                going = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
                place.rename(going / place.name)
                _flush_folder(folder)
                shutil.rmtree(going)

    def erase(self, model: str, version: int) -> None:
        """Remove the weights of a version and every unfinished copy. Raises `RefusedError` when it has an alias."""
        place = self._version(model, version)
        record = self.get(model, version).record
        with self._locked(model) as folder:
            if version in self._aliases(model).values():
                raise still_aliased(model, version)
            codec.write_bytes(place / contents.ERASED_FILE, contents.erased_marker(record))
            _flush_folder(place)
            (place / contents.WEIGHTS_FILE).unlink(missing_ok=True)
            _flush_folder(place)
            for stale in folder.glob(f"{_STAGING}*"):
                shutil.rmtree(stale)
            _flush_folder(folder)

    def reserve(self, version: ModelVersion, files: Mapping[str, Content]) -> str | None:
        """Where the weights of a version will lie: its folder is called by its number."""
        return self.weights_place(version.model, version.version)

    def weights_place(self, model: str, version: int) -> str | None:
        """Where the weights of a version lie, from the folder that this registry lies in."""
        return str((self._version(model, version) / contents.WEIGHTS_FILE).relative_to(self.root.parent))

    def alias(self, model: str, alias: Alias) -> int | None:
        """The number an alias points at, or None."""
        return self._aliases(model).get(alias.value)

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        """Point an alias at a version. Raises `RefusedError` unless it stood at `expected`."""
        self.get(model, version)
        self._swap(model, alias, version, expected)

    def clear_alias(self, model: str, alias: Alias, *, expected: int | None) -> None:
        """Remove an alias. Raises `RefusedError` unless it stood at `expected`."""
        self._swap(model, alias, None, expected)

    def foreign(self) -> int:
        """How many things lie in the registry that this store did not put there, or did not finish."""
        return len(list(strays_in(self.root, numbered=_numbered, own=_OWN)))

    def holdings(self) -> Holdings:
        """Everything in the folder, damaged or not."""
        read = folder_holdings(self.root, numbered=_numbered, aliases=self._aliases, own=_OWN, lists=_LISTS)
        return replace(read, strays=tuple(item for item in read.strays if _STAGING not in item.said))

    def _model(self, model: str) -> Path:
        return self.root / contents.check_model_name(model)

    def _version(self, model: str, version: int) -> Path:
        return self._model(model) / f"v{version:04d}"

    def _aliases(self, model: str) -> dict[str, int]:
        path = self._model(model) / ALIASES_FILE
        if not path.exists():
            return {}
        found = _document(path, ALIASES_SCHEMA)
        known = {alias.value for alias in Alias}
        if not set(found) <= known or not all(type(number) is int for number in found.values()):
            raise _damaged(f"{ALIASES_FILE} of {model}")
        return found

    def _swap(self, model: str, alias: Alias, version: int | None, expected: int | None) -> None:
        with self._locked(model) as folder:
            aliases = self._aliases(model)
            found = aliases.pop(alias.value, None)
            if found != expected:
                raise alias_moved(model, alias, found=found, expected=expected)
            if version is not None:
                aliases[alias.value] = version
            codec.write_bytes(folder / ALIASES_FILE, _text(aliases, ALIASES_SCHEMA))
            _flush_folder(folder)

    @contextmanager
    def _locked(self, model: str) -> Iterator[Path]:
        """One writer a model; what the disk refuses is told as such."""
        folder = self._model(model)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield folder
            finally:
                os.close(descriptor)
        except OSError as error:
            raise WorkspaceError(
                f"The registry folder of {model} cannot be written ({error.strerror}).",
                remedy="Check its mode and the space on its disk, and say it again.",
            ) from error


# --- private ---------------------------------------------------------------------------------------

_VERSION = re.compile(r"v(?!0000)([0-9]{4}|[1-9][0-9]{4,})")
_STAGING = ".staging-"
_LOCK = ".lock"

#: What lies beside the versions of a model, and beside the files of a version.
_OWN = frozenset({_LOCK, ALIASES_FILE})
_LISTS = frozenset({FILES_FILE, contents.ERASED_FILE})


def _numbered(name: str) -> int | None:
    """The number of a version by the name of its folder."""
    match = _VERSION.fullmatch(name)
    return int(match[1]) if match else None


def _fill(staging: Path, version: ModelVersion, files: Mapping[str, Content]) -> None:
    wanted = contents.expected_files(version)
    wanted |= {name: contents.digest_of_content(files[name]) for name in contents.BESIDE_FILES & set(files)}
    listed: dict[str, Any] = {}
    for name, content in files.items():
        _copy(content, staging / name)
        if contents.digest_of_content(staging / name) != wanted[name]:
            raise _damaged(f"{name}, while it was copied,")
        listed[name] = {"sha256": wanted[name], "bytes": (staging / name).stat().st_size}
    codec.write(staging / RECORD_FILE, version)
    codec.write_bytes(staging / FILES_FILE, _text(listed, FILES_SCHEMA))
    _flush_folder(staging)


def _copy(content: Content, target: Path) -> None:
    with target.open("xb") as out:
        if isinstance(content, bytes):
            out.write(content)
        else:
            with content.open("rb") as stream:
                shutil.copyfileobj(stream, out, CHUNK_BYTES)
        out.flush()
        os.fsync(out.fileno())


def _record(folder: Path, model: str, version: int) -> ModelVersion:
    try:
        record = codec.read(folder / RECORD_FILE, ModelVersion)
    except RecordError as error:
        raise _damaged(f"{RECORD_FILE} of {model} version {version}") from error
    if (record.model, record.version) != (model, version):
        raise _damaged(f"{RECORD_FILE} of {model} version {version}")
    return record


def _listed(folder: Path, document: dict[str, Any]) -> dict[str, tuple[str, int]]:
    try:
        return {name: (item["sha256"], item["bytes"]) for name, item in document.items()}
    except (KeyError, TypeError) as error:
        raise _damaged(f"{FILES_FILE} of {folder.name}") from error


def _erased(folder: Path) -> str | None:
    """The file of a version that was erased, or None."""
    if not (folder / contents.ERASED_FILE).exists():
        return None
    if _document(folder / contents.ERASED_FILE, contents.ERASED_SCHEMA).get("file") != contents.WEIGHTS_FILE:
        raise _damaged(f"{contents.ERASED_FILE} of {folder.name}")
    return contents.WEIGHTS_FILE


def _text(body: Mapping[str, Any], schema: tuple[str, int]) -> bytes:
    name, version = schema
    return f"{canonical_json({'schema': name, 'version': version, 'body': dict(body)})}\n".encode()


def _document(path: Path, schema: tuple[str, int]) -> dict[str, Any]:
    name, version = schema
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path.name) from error
    if not isinstance(document, dict) or (document.get("schema"), document.get("version")) != (name, version):
        raise _damaged(path.name)
    body = document.get("body")
    if not isinstance(body, dict):
        raise _damaged(path.name)
    return body


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(what: str) -> DamagedError:
    return DamagedError(
        f"{what} in the registry is not what was stored.",
        remedy="Restore the registry folder from a backup; the ledger holds the digests to compare with.",
    )
