"""A registry in memory: the fake that ships beside the port, for tests and rehearsals."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from maintain import codec
from maintain.errors import UnknownNameError
from maintain.hashing import digest_bytes
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry import contents
from maintain_registry.holdings import HeldAlias, HeldVersion, Holdings
from maintain_registry.port import Content, StoredVersion, alias_moved, number_taken, still_aliased


@dataclass(slots=True)
class MemoryStore:
    """A `ModelStore` that forgets everything when the process ends."""

    _versions: dict[tuple[str, int], tuple[ModelVersion, dict[str, bytes]]] = field(default_factory=dict)
    _aliases: dict[tuple[str, Alias], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def models(self) -> tuple[str, ...]:
        """The models that have at least one version, sorted."""
        return tuple(sorted({model for model, _ in self._versions}))

    def versions(self, model: str) -> tuple[int, ...]:
        """The stored numbers of a model, ascending."""
        contents.check_model_name(model)
        return tuple(sorted(number for name, number in self._versions if name == model))

    def get(self, model: str, version: int) -> StoredVersion:
        """One version. Raises `UnknownNameError` when it is absent."""
        contents.check_model_name(model)
        found = self._versions.get((model, version))
        if found is None:
            raise UnknownNameError(f"version of {model}", str(version), map(str, self.versions(model)))
        record, files = found
        return StoredVersion(record, tuple(sorted(files)), files.__getitem__)

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        """Keep a version. Raises `RefusedError` when its number holds other content."""
        contents.check(version, files)
        held = {name: item if isinstance(item, bytes) else item.read_bytes() for name, item in files.items()}
        with self._lock:
            present = self._versions.setdefault((version.model, version.version), (version, held))
        if present[0] != version:
            raise number_taken(version.model, version.version)

    def discard(self, model: str, version: int) -> None:
        """Forget a version that was never registered. Raises `RefusedError` when it has an alias."""
        contents.check_model_name(model)
        with self._lock:
            if any(name == model and number == version for (name, _), number in self._aliases.items()):
                raise still_aliased(model, version)
            self._versions.pop((model, version), None)

    def erase(self, model: str, version: int) -> None:
        """Forget the weights of a version. Raises `RefusedError` when it has an alias."""
        self.get(model, version)
        with self._lock:
            if any(name == model and number == version for (name, _), number in self._aliases.items()):
                raise still_aliased(model, version)
            self._versions[model, version][1].pop(contents.WEIGHTS_FILE, None)

    def reserve(self, version: ModelVersion, files: Mapping[str, Content]) -> str | None:
        """Nowhere: memory has no places."""
        return None

    def weights_place(self, model: str, version: int) -> str | None:
        """Nowhere: memory has no places."""
        return None

    def alias(self, model: str, alias: Alias) -> int | None:
        """The number an alias points at, or None."""
        contents.check_model_name(model)
        return self._aliases.get((model, alias))

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        """Point an alias at a version. Raises `RefusedError` unless it stood at `expected`."""
        self.get(model, version)
        with self._lock:
            self._require(model, alias, expected)
            self._aliases[model, alias] = version

    def clear_alias(self, model: str, alias: Alias, *, expected: int | None) -> None:
        """Remove an alias. Raises `RefusedError` unless it stood at `expected`."""
        contents.check_model_name(model)
        with self._lock:
            self._require(model, alias, expected)
            self._aliases.pop((model, alias), None)

    def foreign(self) -> int:
        """Nothing but versions can lie here."""
        return 0

    def holdings(self) -> Holdings:
        """Everything that is remembered."""
        versions = (
            HeldVersion(
                model,
                f"version {number}",
                number,
                {name: digest_bytes(data) for name, data in files.items()} | {"version.json": codec.digest_of(record)},
            )
            for (model, number), (record, files) in sorted(self._versions.items())
        )
        aliases = (
            HeldAlias(model, alias.value, f"version {number}", number)
            for (model, alias), number in self._aliases.items()
        )
        return Holdings(tuple(versions), tuple(aliases))

    def _require(self, model: str, alias: Alias, expected: int | None) -> None:
        found = self._aliases.get((model, alias))
        if found != expected:
            raise alias_moved(model, alias, found=found, expected=expected)
