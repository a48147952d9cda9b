"""Versions and aliases in MLflow: a registered model, a run and a LoggedModel with the files of each version.

A version comes into being by one call, the last of several; what a killed writer left before it is found
by its tags and used again or removed. MLflow numbers versions itself, so ours is a tag (docs/adr/0017).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.errors import DamagedError, UnknownNameError, WorkspaceError
from maintain.hashing import Digest
from maintain.records import ModelVersion
from maintain.vocabulary import Alias
from maintain_registry import contents
from maintain_registry.holdings import PROMOTION_TAG, Holdings
from maintain_registry.mlflow_store import erasing, holders, inventory, payload, reading, tags
from maintain_registry.mlflow_store.connection import READING, STAGING, Connection, asked, taken
from maintain_registry.port import Content, StoredVersion, alias_moved, number_taken, still_aliased


@dataclass(frozen=True, slots=True)
class MlflowStore:
    """A `ModelStore` in MLflow: over SQLite below `root`, or with `uri` on a server; locks lie below `root`."""

    root: Path
    uri: str = ""
    credentials: Path | None = None

    def models(self) -> tuple[str, ...]:
        """The models that have at least one version, sorted."""
        if not self._connection.exists():
            return ()
        marked = f"tags.`{tags.SCHEMA}` = '{tags.SCHEMA_VERSION}'"
        with asked():
            found = list(reading.every(self._connection.client().search_model_versions, marked))
        return tuple(sorted({item.name for item in found if contents.is_model_name(item.name)}))

    def versions(self, model: str) -> tuple[int, ...]:
        """The stored numbers of a model, ascending."""
        contents.check_model_name(model)
        return tuple(sorted(self._table(model)))

    def get(self, model: str, version: int) -> StoredVersion:
        """One version. Raises `UnknownNameError` when absent, `DamagedError` when changed."""
        return self.survey(model)(version)

    def survey(self, model: str) -> Callable[[int], StoredVersion]:
        """What answers as `get` does, for the versions of a model as they stand now: MLflow is searched once."""
        contents.check_model_name(model)
        table = self._table(model)

        def get(version: int) -> StoredVersion:
            if version not in table:
                raise UnknownNameError(f"version of {model}", str(version), map(str, table))
            with asked():
                return reading.stored_version(self._connection, model, version, table[version])

        return get

    def reserve(self, version: ModelVersion, files: Mapping[str, Content]) -> str | None:
        """Where the weights of a version will lie: in a LoggedModel that is made for it now, without any files."""
        contents.check(version, files)
        reading.told_of(version, files)
        with self._locked(version.model), asked():
            present = self._table(version.model).get(version.version)
            if present is not None:
                return self._spoken(f"{present.source}/{contents.WEIGHTS_FILE}")
            holder = holders.prepare(self._connection, version, files)
            return self._spoken(f"{holder.artifact_location}/{contents.WEIGHTS_FILE}")

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        """Store a version whole. Raises `RefusedError` when its number holds other content."""
        contents.check(version, files)
        told, card = reading.told_of(version, files)
        with self._locked(version.model), asked():
            present = self._table(version.model).get(version.version)
            if present is not None:
                if reading.stored_version(self._connection, version.model, version.version, present).record != version:
                    raise number_taken(version.model, version.version)
                return
            client = self._connection.client()
            holder = holders.prepare(self._connection, version, files)
            with tempfile.TemporaryDirectory(prefix=f"{STAGING}{version.model}-", dir=self.root) as staging:
                listed = payload.fill(Path(staging), version, files, holder=holder.model_id)
                client.log_model_artifacts(holder.model_id, staging)
            reading.require_whole(self._connection, version, holder.artifact_location, listed)
            holders.seal(self._connection, holder)
            self._announce(version.model, holder, {**told, tags.FILES: listed}, card)

    def discard(self, model: str, version: int) -> None:
        """Remove a version that was never registered, its files too. Raises `RefusedError` when it has an alias."""
        contents.check_model_name(model)
        if not self._connection.exists():
            return
        with self._locked(model), asked():
            client = self._connection.client()
            found = self._table(model).get(version)
            if found is not None:
                number = str(found.version)
                if number in {str(at) for at in self._aliases(model).values()}:
                    raise still_aliased(model, version)
                client.delete_model_version(model, number)
            holders.remove(self._connection, model, version)

    def erase(self, model: str, version: int) -> None:
        """Remove the weights of a version and all copies but other versions'. Raises `RefusedError` with an alias."""
        record = self.get(model, version).record
        with self._locked(model), asked():
            item = self._table(model)[version]
            if str(item.version) in {str(at) for at in self._aliases(model).values()}:
                raise still_aliased(model, version)
            erasing.mark(self._connection, item.source, record)
            reading.forget_copies(self._connection)
            erasing.remove(self._connection, record.weights, item.source)

    def weights_place(self, model: str, version: int) -> str | None:
        """Where the weights of a version lie, or None: MLflow chooses a place when it is stored."""
        found = self._table(model).get(version)
        return None if found is None else self._spoken(f"{found.source}/{contents.WEIGHTS_FILE}")

    def places_of(self, weights: Digest) -> tuple[str, ...]:
        """Every file of MLflow with these bytes, deleted LoggedModels, runs and experiments included."""
        if not self._connection.exists():
            return ()
        with asked():
            return tuple(sorted(self._spoken(item.address) for item in erasing.holding(self._connection, weights)))

    def remove_copies(self, weights: Digest) -> None:
        """Remove what deleted versions, runs, LoggedModels and experiments left of these weights."""
        if self._connection.exists():
            with asked():
                erasing.remove(self._connection, weights)

    def outside(self) -> Mapping[str, Digest]:
        """The files with weights on a server, going by their names."""
        with asked():
            return erasing.outside(self._connection)

    def out_of_reach(self) -> tuple[str, ...]:
        """Where copies may lie that neither MLflow's interface nor a walk can see."""
        served = () if self._connection.embedded else erasing.OUT_OF_REACH_OF_A_SERVER
        return (*erasing.OUT_OF_REACH, *served)

    def alias(self, model: str, alias: Alias) -> int | None:
        """The number an alias points at, or None. Raises `DamagedError` where it is no version of ours."""
        contents.check_model_name(model)
        with asked():
            number = self._aliases(model).get(alias.value)
        if number is None:
            return None
        for ours, item in self._table(model).items():
            if str(item.version) == str(number):
                return ours
        raise DamagedError(
            f"The alias {alias} of {model} points at version {number} of MLflow, which `maintain` did not store.",
            remedy="Somebody moved it with MLflow's own client. Remove that alias there, and find out who it was.",
        )

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        """Point an alias at a version. Raises `RefusedError` unless it stood at `expected`, and stands there after."""
        target = self.get(model, version).record.version
        with self._locked(model), asked():
            self._require(model, alias, expected)
            number = str(self._table(model)[target].version)
            self._connection.client().set_registered_model_alias(model, alias.value, number)
            self._require(model, alias, version)

    def clear_alias(self, model: str, alias: Alias, *, expected: int | None) -> None:
        """Remove an alias. Raises `RefusedError` unless it stood at `expected`, and is gone after."""
        contents.check_model_name(model)
        with self._locked(model), asked():
            self._require(model, alias, expected)
            if expected is not None:
                self._connection.client().delete_registered_model_alias(model, alias.value)
                self._require(model, alias, None)

    def foreign(self) -> int:
        """How many versions and files lie beside ours that this store did not put there, or did not finish."""
        with asked():
            return inventory.foreign(self._connection)

    def holdings(self) -> Holdings:
        """Everything in MLflow, damaged or not, in models of ours and of others."""
        with asked():
            return inventory.everything(self._connection)

    def tags(self, model: str, version: int) -> Mapping[str, str]:
        """The tags of a version, its card by digest among them. Raises `UnknownNameError` when it is absent."""
        table = self._table(model)
        if version not in table:
            raise UnknownNameError(f"version of {model}", str(version), map(str, table))
        return inventory.tags_of(table[version])

    def show_promotion(self, model: str, version: int, entry: int) -> None:
        """Tag a version with the entry that promoted it; one that is gone is fine."""
        with self._locked(model), asked():
            item = self._table(model).get(version)
            if item is not None and item.tags.get(PROMOTION_TAG) != str(entry):
                self._connection.client().set_model_version_tag(model, str(item.version), PROMOTION_TAG, str(entry))

    @property
    def _connection(self) -> Connection:
        return Connection(self.root, self.uri, self.credentials)

    def _spoken(self, address: str) -> str:
        """A place as the register of weights calls it: from the folder that this registry lies in, or MLflow's own."""
        home = self.root.absolute().parent
        if self._connection.embedded and holders.folder_of(address).is_relative_to(home):
            return holders.folder_of(address).relative_to(home).as_posix()
        return address

    def _table(self, model: str) -> dict[int, Any]:
        """The versions of MLflow that are ours, by our number. Raises `DamagedError` where two claim one."""
        if not self._connection.exists():
            return {}
        table: dict[int, Any] = {}
        with asked():
            for item in reading.every(self._connection.client().search_model_versions, f"name = '{model}'"):
                number = tags.number_of(item.tags)
                if number is not None and table.setdefault(number, item) is not item:
                    raise DamagedError(
                        f"Two versions of MLflow claim to be version {number} of {model}.",
                        remedy="Find out who made the second with MLflow's own client, and remove it there.",
                    )
        return table

    def _aliases(self, model: str) -> dict[str, Any]:
        """Searched for: a server that was asked for a model by name would not say whether there is one."""
        if not self._connection.exists():
            return {}
        found = self._connection.client().search_registered_models(filter_string=f"name = '{model}'")
        return dict(found[0].aliases) if found else {}

    def _require(self, model: str, alias: Alias, expected: int | None) -> None:
        found = self.alias(model, alias)
        if found != expected:
            raise alias_moved(model, alias, found=found, expected=expected)

    def _announce(self, model: str, holder: Any, told: Mapping[str, str], card: str) -> None:
        """The call by which the version comes into being."""
        client = self._connection.client()
        try:
            client.create_registered_model(model, tags={tags.SCHEMA: tags.SCHEMA_VERSION})
        except Exception as error:
            if not taken(error):
                raise
        client.create_model_version(
            model,
            source=holder.artifact_location,
            run_id=holder.source_run_id,
            model_id=holder.model_id,
            tags={**told, tags.HOLDER: holder.model_id},
            description=card,
            await_creation_for=0,
        )

    def _sweep(self, model: str) -> None:
        """Remove the copies that killed processes left: a writer's at once, a reader's when it must be dead."""
        for stale in self.root.glob(f"{STAGING}{model}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        for copy in self.root.glob(f"{READING}*"):
            if time.time() - copy.stat().st_mtime > _LONGEST_READING_SECONDS:
                shutil.rmtree(copy, ignore_errors=True)

    @contextmanager
    def _locked(self, model: str) -> Iterator[None]:
        """One writer a model on this machine; MLflow itself has no compare-and-swap."""
        contents.check_model_name(model)
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.root / f".lock-{model}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._sweep(model)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise WorkspaceError(
                f"The registry folder of {model} cannot be written ({error.strerror}).",
                remedy="Check its mode and the space on its disk, and say it again.",
            ) from error


# --- private ---------------------------------------------------------------------------------------

#: No file is read for so long; a copy that is older was left by a kill.
_LONGEST_READING_SECONDS = 3600.0
