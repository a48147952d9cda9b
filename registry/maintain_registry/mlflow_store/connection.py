"""Speaking to MLflow: one client a process, over SQLite in the workspace or over a server with a password.

Whatever MLflow or the network say is turned into our own errors here, without their texts: those hold
addresses, places of files and now and then a password.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import sqlite3
import stat
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.errors import InputError, RegistryUnreachableError, WorkspaceError
from maintain_registry.mlflow_store.tables import make_tables

#: Where the embedded registry keeps its rows and its files, below the registry folder of a workspace.
DATABASE_FILE = "mlflow.db"
ARTIFACTS_FOLDER = "artifacts"

#: A request is tried this often again, and answered within so many seconds: an outage is told in half a
#: minute, where MLflow's own figures (7 and 120) would hold a run, and its lease, for many.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}

#: What MLflow reads its credentials from, in the order of the credentials file.
CREDENTIAL_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")

#: Copies that a writer and a reader make for a moment, below the registry folder.
STAGING, READING = ".staging-", ".reading-"

#: The experiment of a model is called so; its files lie in a folder of the model's name.
_EXPERIMENTS = "maintain/"

#: As long as MLflow itself waits for another process that writes.
_BUSY_SECONDS = 20.0

#: Columns of MLflow's own tables that hold an absolute place of a file.
_PLACES = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where MLflow is: below `root`, or at `uri`; `credentials` is a private file with `user:password`."""

    root: Path
    uri: str = ""
    credentials: Path | None = None

    @property
    def embedded(self) -> bool:
        """Whether rows and files lie in the workspace."""
        return not self.uri

    @property
    def address(self) -> str:
        """What MLflow calls the place; it holds no password."""
        return self.uri or f"sqlite:///{self.root.absolute() / DATABASE_FILE}"

    def experiment(self, model: str) -> tuple[str, str | None]:
        """The name of a model's experiment, and where its files shall lie; None leaves that to the server."""
        home = (self.root.absolute() / ARTIFACTS_FOLDER / model).as_uri() if self.embedded else None
        return f"{_EXPERIMENTS}{model}", home

    def exists(self) -> bool:
        """Whether anything was ever kept there; a server is always thought to."""
        return not self.embedded or (self.root / DATABASE_FILE).is_file()

    def client(self) -> Any:
        """A client of MLflow. Raises `RegistryUnreachableError`, or `InputError` for open credentials."""
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        if self.credentials is not None and self.credentials.exists():
            os.environ.update(zip(CREDENTIAL_VARIABLES, _read_credentials(self.credentials), strict=True))
        return _client(self.address, self.root if self.embedded else None)

    def files_at(self, location: str) -> Any:
        """The files below a place that MLflow named."""
        with quiet():
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            return get_artifact_repository(location, tracking_uri=self.address)


def prepare_registry(root: Path) -> None:
    """Make the tables of a registry below a folder unless they are there, so that no later command waits."""
    if not (root / DATABASE_FILE).is_file():
        with asked(), _uncollected():
            make_tables(root / DATABASE_FILE, partial=READING)


@contextmanager
def asked() -> Iterator[None]:
    """Ask MLflow something; its failures come out as ours. What is absent must be asked for with `absent`."""
    try:
        with quiet():
            yield
    except Exception as error:
        if (said := _unreachable(error)) is None:
            raise
        raise RegistryUnreachableError(said) from None


def absent(error: Exception) -> bool:
    """Whether an error of MLflow says that the thing is not there."""
    if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST":
        return True
    return getattr(getattr(error, "response", None), "status_code", None) == _NOT_FOUND


def taken(error: Exception) -> bool:
    """Whether an error of MLflow says that the thing is there already."""
    return getattr(error, "error_code", None) == "RESOURCE_ALREADY_EXISTS"


@contextmanager
def quiet() -> Iterator[None]:
    """MLflow and Alembic tell what they do, and warn of their own future, on stderr; nobody asked them."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


# --- private ---------------------------------------------------------------------------------------

_NOT_FOUND = 404


@functools.cache
def _client(address: str, embedded: Path | None) -> Any:
    """MLflow verifies the schema of a database whenever a client is made; once a process is enough."""
    if embedded is not None:
        prepare_registry(embedded)
        _rehome(embedded)
    with asked(), _uncollected():
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=address, registry_uri=address)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage while MLflow is imported: none is made, and looking is a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _unreachable(error: Exception) -> str | None:
    """What to say of a failure of MLflow, its database or the network; None for an error of ours."""
    room = type(error).__module__.partition(".")[0]
    status = getattr(getattr(error, "response", None), "status_code", None)
    if room == "mlflow":
        return f"The model registry did not do what it was asked ({getattr(error, 'error_code', 'no code')})."
    if room in ("requests", "urllib3"):
        return f"The model registry did not answer ({status or type(error).__name__})."
    if room in ("sqlalchemy", "alembic", "sqlite3"):
        return f"The database of the model registry did not answer ({type(error).__name__})."
    return None


def _read_credentials(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read.", remedy="Check its mode and owner.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(f"Others may read {path.name}.", remedy=f"chmod 600 {path.name}, and change the password.")
    user, separator, password = text.strip().partition(":")
    if not (user and separator and password) or "\n" in password:
        raise InputError(f"{path.name} holds no credentials.", remedy="Write one line, user:password.")
    return user, password


def _rehome(root: Path) -> None:
    """Let a registry that was copied or moved with its workspace find its files: MLflow keeps absolute places.

    Without it the copy of a workspace would read, and discard, the files of the original.
    """
    path = root / DATABASE_FILE
    if not path.is_file():
        return
    home = (root.absolute() / ARTIFACTS_FOLDER).as_uri()
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection, connection:
            for place, model in _strangers(connection, home):
                new = f"{home}/{model}"
                for table, column in _PLACES:
                    connection.execute(
                        f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?",
                        (new, len(place) + 1, len(place) + 1, f"{place}/"),
                    )
                connection.execute(
                    "update experiments set artifact_location = ? where name = ?", (new, _EXPERIMENTS + model)
                )
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            f"{DATABASE_FILE} in the registry cannot be used ({type(error).__name__}).",
            remedy="Restore the registry folder from a backup.",
        ) from error


def _strangers(connection: sqlite3.Connection, home: str) -> list[tuple[str, str]]:
    """Places that belong to another folder than this, each with the model whose files it holds."""
    try:
        rows = connection.execute("select artifact_location, name from experiments").fetchall()
    except sqlite3.OperationalError:
        return []  # the tables are only now being made
    ours = [(place, name.removeprefix(_EXPERIMENTS)) for place, name in rows if name.startswith(_EXPERIMENTS)]
    return [(place, model) for place, model in ours if place != f"{home}/{model}"]
