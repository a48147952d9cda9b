"""A new workspace: settings, database, keys, folders, an example policy, and the first ledger entry.

It is made beside its place and moved there whole, so that a killed `init` never leaves half of
one, and keys have their mode from the first byte.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from maintain import __version__
from maintain.clock import Clock
from maintain.database import create_database
from maintain.errors import WorkspaceError
from maintain.intake import create_key
from maintain.settings import (
    SETTINGS_FILE,
    STORE_OF_NEW_WORKSPACES,
    RegistrySettings,
    Settings,
    Workspace,
    read_settings,
)
from maintain_policies import DEMO_POLICIES, demo_policy
from maintain_registry import Event, EventKind, Ledger, create_signing_key, load_signer, prepare_store

#: The settings file of a new workspace: every key with its default, commented.
_SETTINGS_TEXT = """\
# A workspace of `maintain`. Every key has a default; this file may be empty.
# Paths are relative to this folder unless they begin with a slash.

[database]
# file = "maintain.db"

[keys]
# Secrets, mode 0600. Whoever has the pseudonym key can tell whose a pseudonym is.
# pseudonym = "keys/pseudonym.key"
# signing = "keys/ledger.pem"

[ledger]
# Each ledger entry leaves a line here. Keep this file on another host: it is what
# shows that somebody rewrote the ledger or cut off its end.
# heads = "ledger.heads"

[compute]
# threads = 0          # 0: OMP_NUM_THREADS, else every core
# precision = "fp32"   # of forward passes; bf16 where the processor or card computes in it

[registry]
store = "{store}"       # where versions are kept: mlflow, or folder
{uri}           # of an MLflow server; without one the registry lies in this workspace
{credentials}    # user:password for it, mode 0600

[requests]
# answer_days = 30    # days until a request to be forgotten must be answered
# warn_days = 7       # days before that date at which people are warned
# grace_days = 3      # days after it was filed before a night may erase

[jobs]
# heartbeat = "jobs.heartbeat.json"    # when scheduled work last ran, and how it went
# webhook = ""                         # https://HOST/PATH that is told the same
# webhook_key = "keys/webhook.key"     # signs it, mode 0600

[runs]
# lease_seconds = 60    # how long a run may be silent before another may take over
"""


def create_workspace(
    root: Path,
    *,
    clock: Clock,
    actor: str,
    pseudonym_key: bytes | None = None,
    registry: str = STORE_OF_NEW_WORKSPACES,
    registry_uri: str = "",
    registry_credentials: str = RegistrySettings().credentials,
) -> Workspace:
    """Make a workspace. Raises `WorkspaceError` when the folder holds anything already."""
    settings = RegistrySettings(store=registry, uri=registry_uri, credentials=registry_credentials)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        if (root / SETTINGS_FILE).is_file():
            raise WorkspaceError(f"{root} is a workspace already.", remedy="Use it as it is, or name another folder.")
        raise WorkspaceError(f"{root} is not an empty folder.", remedy="Name a new or an empty folder.")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    except OSError as error:
        raise WorkspaceError(
            f"{root} cannot be made ({error.strerror}).", remedy="Choose a folder that this user may write."
        ) from error
    try:
        _fill(staging, clock=clock, actor=actor, pseudonym_key=pseudonym_key, registry=settings)
        if root.exists():
            root.rmdir()
        staging.rename(root)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Workspace(root, read_settings(root / SETTINGS_FILE))


# --- private ---------------------------------------------------------------------------------------


def _fill(folder: Path, *, clock: Clock, actor: str, pseudonym_key: bytes | None, registry: RegistrySettings) -> None:
    workspace = Workspace(folder, Settings(registry=registry))
    (folder / SETTINGS_FILE).write_text(_settings_text(registry), encoding="utf-8")
    for place in (workspace.arrays, workspace.registry, workspace.runs, workspace.policies):
        place.mkdir(mode=0o700)
    prepare_store(workspace)
    workspace.pseudonym_key.parent.mkdir(mode=0o700)
    create_key(workspace.pseudonym_key, key=pseudonym_key)
    create_signing_key(workspace.signing_key)
    for name in DEMO_POLICIES:
        (workspace.policies / name).write_text(demo_policy(name), encoding="utf-8")
    database = create_database(workspace.database)
    try:
        signer = load_signer(workspace.signing_key)
        ledger = Ledger(clock=clock, signer=signer, actor=actor, heads=workspace.ledger_heads)
        with ledger.begin(database) as unit:
            ledger.append(
                unit,
                Event(
                    EventKind.WORKSPACE_CREATED,
                    subject="workspace",
                    body={"signing_key": signer.key_id, "code": __version__},
                ),
            )
    finally:
        database.close()


def _settings_text(registry: RegistrySettings) -> str:
    """The settings file; what is as it would be anyway stays a comment."""
    given = {"uri": registry.uri, "credentials": registry.credentials}
    lines = {
        key: ("# " if value == getattr(RegistrySettings(), key) else "") + f"{key} = {json.dumps(value)}"
        for key, value in given.items()
    }
    return _SETTINGS_TEXT.format(store=registry.store, **lines)
