"""The workspace: `maintain.toml` and the places it names.

A workspace is one folder that belongs to one platform team: databases, keys, pixel cache, runs
and the registry. Settings are parsed strictly at this edge (unknown keys are errors) and are
frozen afterwards; everything has a default, so an empty file is a valid one.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from maintain.errors import InputError, WorkspaceError, nearest_name
from maintain.vocabulary import Precision

#: The file that makes a folder a workspace.
SETTINGS_FILE = "maintain.toml"

#: Environment variable that names the workspace when no `--workspace` is given.
WORKSPACE_VARIABLE = "MAINTAIN_WORKSPACE"

#: Stores that versions can be kept in, by the names that `[registry] store` may have.
FOLDER, MLFLOW = "folder", "mlflow"
REGISTRY_STORES = (FOLDER, MLFLOW)

#: What a new workspace is given. A file without the key was written before there was a choice, and means a folder.
STORE_OF_NEW_WORKSPACES = MLFLOW


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the cohort, the journal and the ledger live."""

    file: str = "maintain.db"


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Secret files, mode 0600: the pseudonym key and the ledger's signing key."""

    pseudonym: str = "keys/pseudonym.key"
    signing: str = "keys/ledger.pem"


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """Where each append leaves its number and hash; best kept on another host."""

    heads: str = "ledger.heads"


@dataclass(frozen=True, slots=True)
class ComputeSettings:
    """Threads of a training; 0 takes what the machine offers. `precision` is that of forward passes.

    Raises:
        InputError: There is no such precision.
    """

    threads: int = 0
    precision: str = Precision.FP32.value

    def __post_init__(self) -> None:
        """Refuse a word that names no precision."""
        known = [member.value for member in Precision]
        if self.precision not in known:
            raise InputError(
                f"{SETTINGS_FILE}: compute.precision cannot be {self.precision!r}.",
                remedy=f"Choose one of: {', '.join(known)}.",
            )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How long a process that works on a model may be silent before another may take over."""

    lease_seconds: int = 60


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """Days a request has, before how many of them people are warned, and how long a night waits to erase."""

    answer_days: int = 30
    warn_days: int = 7
    grace_days: int = 3

    def __post_init__(self) -> None:
        """Refuse days that lie in the past."""
        if min(self.answer_days, self.warn_days, self.grace_days) < 0:
            raise InputError(f"{SETTINGS_FILE}: days of requests cannot be negative.", remedy="Write 0 or more.")


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Where scheduled work leaves a sign of life, and whom it tells: a webhook, signed with the key in a 0600 file."""

    heartbeat: str = "jobs.heartbeat.json"
    webhook: str = ""
    webhook_key: str = "keys/webhook.key"

    def __post_init__(self) -> None:
        """Refuse an address that others could read on its way, without repeating one that may hold a password."""
        address = urlsplit(self.webhook)
        near = address.hostname in ("localhost", "127.0.0.1", "::1")
        schemes = ("https", "http") if near else ("https",)
        if self.webhook and (address.scheme not in schemes or not address.netloc):
            raise InputError(
                f"{SETTINGS_FILE}: jobs.webhook is not an address that can be told.",
                remedy="Write https://HOST/PATH; plain http is for this very machine only.",
            )
        if "@" in address.netloc:
            raise InputError(
                f"{SETTINGS_FILE}: jobs.webhook holds credentials.",
                remedy="Leave them out: what is sent is signed with jobs.webhook_key.",
            )


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """Where versions are kept: `folder`, or `mlflow` in the workspace or at the address of a server.

    Raises:
        InputError: No such store, or an address that is none or holds a password.
    """

    store: str = "folder"
    uri: str = ""
    credentials: str = "keys/registry.credentials"

    def __post_init__(self) -> None:
        """Refuse what could not be opened, without repeating an address that may hold a password."""
        if self.store not in REGISTRY_STORES:
            raise InputError(
                f"{SETTINGS_FILE}: registry.store cannot be {self.store!r}.",
                remedy=f"Choose one of: {', '.join(REGISTRY_STORES)}.",
            )
        if self.uri and self.store != MLFLOW:
            raise InputError(
                f"{SETTINGS_FILE}: registry.uri is the address of an MLflow server, and the store is {self.store!r}.",
                remedy=f'Write store = "{MLFLOW}", or leave the address out.',
            )
        address = urlsplit(self.uri)
        if self.uri and (address.scheme not in ("http", "https") or not address.netloc):
            raise InputError(
                f"{SETTINGS_FILE}: registry.uri is not the address of a server.",
                remedy="Write https://HOST, or leave it out: the registry then lies in the workspace.",
            )
        if "@" in address.netloc:
            raise InputError(
                f"{SETTINGS_FILE}: registry.uri holds credentials.",
                remedy="Put user:password into a file of mode 0600 (registry.credentials), and change the password.",
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `maintain.toml`."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    runs: RunSettings = field(default_factory=RunSettings)
    requests: RequestSettings = field(default_factory=RequestSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder, its settings, and every place below it. Nothing else spells these names."""

    root: Path
    settings: Settings

    @property
    def database(self) -> Path:
        """The embedded database."""
        return self.root / self.settings.database.file

    @property
    def pseudonym_key(self) -> Path:
        """The key that turns identifiers into pseudonyms."""
        return self.root / self.settings.keys.pseudonym

    @property
    def signing_key(self) -> Path:
        """The Ed25519 key that signs deciding ledger entries."""
        return self.root / self.settings.keys.signing

    @property
    def ledger_heads(self) -> Path:
        """One line an append: number and hash."""
        return self.root / self.settings.ledger.heads

    @property
    def arrays(self) -> Path:
        """Pixels by digest."""
        return self.root / "arrays"

    @property
    def registry(self) -> Path:
        """The registry, or where it is a server, what this machine keeps of it."""
        return self.root / "registry"

    @property
    def registry_credentials(self) -> Path:
        """User and password for the server of the registry."""
        return self.root / self.settings.registry.credentials

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def trainings(self) -> Path:
        """One folder a first training."""
        return self.root / "trainings"

    @property
    def references(self) -> Path:
        """One folder a reference: a model trained without a forget group, kept as a yardstick."""
        return self.root / "references"

    @property
    def heartbeat(self) -> Path:
        """When scheduled work last ran, and how it went."""
        return self.root / self.settings.jobs.heartbeat

    @property
    def webhook_key(self) -> Path:
        """The key that signs what a webhook is told."""
        return self.root / self.settings.jobs.webhook_key

    @property
    def policies(self) -> Path:
        """Policy files of this team."""
        return self.root / "policies"


def find_workspace(given: Path | None) -> Workspace:
    """The workspace that was named, or the nearest one above the present folder.

    Raises `WorkspaceError` when there is none, and `InputError` for a broken `maintain.toml`.
    """
    named = given or (Path(value) if (value := os.environ.get(WORKSPACE_VARIABLE)) else None)
    if named is not None:
        candidates = [named.absolute()]
    else:
        here = Path.cwd()
        candidates = [here, *here.parents]
    for folder in candidates:
        if (folder / SETTINGS_FILE).is_file():
            return Workspace(folder, read_settings(folder / SETTINGS_FILE))
    where = f"in {named}" if named is not None else "here or in any folder above"
    raise WorkspaceError(
        f"There is no workspace {where} (no {SETTINGS_FILE}).",
        remedy="Make one with `maintain init DIR`, or name one with `--workspace DIR`.",
    )


def read_settings(path: Path) -> Settings:
    """Parse `maintain.toml`. Raises `InputError` naming every unknown or ill-typed key."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}", remedy="Mend that line.") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}).", remedy="Check its mode.") from error
    mistakes: list[str] = []
    sections = {item.name: item.default_factory for item in fields(Settings)}
    values: dict[str, Any] = {}
    for name, given in document.items():
        if name not in sections:
            mistakes.append(_unknown(name, sections))
        elif not isinstance(given, dict):
            mistakes.append(f"{name} must be a table, written [{name}]")
        else:
            values[name] = _section(name, sections[name], given, mistakes)
    if mistakes:
        listed = "; ".join(mistakes)
        raise InputError(f"{path.name}: {listed}.", remedy="Every key and its default is in docs/settings.md.")
    return Settings(**values)


# --- private ---------------------------------------------------------------------------------------


def _section(name: str, kind: Any, given: dict[str, object], mistakes: list[str]) -> Any:
    known = {item.name: item for item in fields(kind)}
    accepted: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            mistakes.append(_unknown(f"{name}.{key}", {f"{name}.{other}": None for other in known}))
        elif type(value) is not type(known[key].default):
            wanted = type(known[key].default).__name__
            mistakes.append(f"{name}.{key} must be {wanted}, not {type(value).__name__}")
        else:
            accepted[key] = value
    return kind(**accepted)


def _unknown(name: str, known: dict[str, Any]) -> str:
    nearest = nearest_name(name, known)
    return f"{name} is not a key of this version" + (f" (did you mean {nearest}?)" if nearest else "")
