"""References as they lie in the workspace: five files a folder, `reference.json` written last.

Weights are personal data, so folders belong to their owner alone. What is read here agrees with its digests; whether
it ever saw a forgotten case is judged by the gate, from the log, each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maintain import codec
from maintain.errors import DamagedError, RecordError
from maintain.hashing import Digest, digest_file, short
from maintain.imaging import State, read_weights
from maintain.records import LoaderLog, ModelSpec, Plan, Reference, RoleTable, TrainingManifest
from maintain.settings import Workspace
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, Champion
from maintain_pipelines.context import Context
from maintain_pipelines.references.naming import reference_keys

#: The record of a finished reference.
REFERENCE_FILE = "reference.json"

#: What heals a reference that cannot be used.
TRAIN_AGAIN = "Train it again with `maintain reference train POLICY`."


@dataclass(frozen=True, slots=True)
class StoredReference:
    """A finished reference whose files agree with their digests."""

    record: Reference
    folder: Path
    spec: ModelSpec
    manifest: TrainingManifest
    log: LoaderLog

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return self.folder / WEIGHTS_FILE

    def state(self) -> State:
        """Its weights. Raises `DamagedError` when the file has changed since."""
        return read_weights(self.weights, expected=self.record.weights)


@dataclass(frozen=True, slots=True)
class KeptReferences:
    """What lies in a workspace: whole references, and the names of folders that were begun or are damaged."""

    whole: tuple[StoredReference, ...]
    begun: tuple[str, ...]
    damaged: tuple[str, ...]


def reference_folder(workspace: Workspace, key: Digest) -> Path:
    """Where the reference of a key lies, or will."""
    return workspace.references / short(key)


def read_reference(folder: Path, *, key: Digest | None = None) -> StoredReference | None:
    """The reference in a folder; None where it was not trained, or not to its end.

    Raises `DamagedError` where a file is not the one that `reference.json` names, or it is another's.
    """
    if not (folder / REFERENCE_FILE).is_file():
        return None
    try:
        record = codec.read(folder / REFERENCE_FILE, Reference)
        if key is not None and record.key != key:
            raise _damaged(REFERENCE_FILE)
        if digest_file(folder / WEIGHTS_FILE) != record.weights:
            raise _damaged(WEIGHTS_FILE)
        return StoredReference(
            record=record,
            folder=folder,
            spec=codec.read(folder / SPEC_FILE, ModelSpec, expected=record.spec),
            manifest=codec.read(folder / MANIFEST_FILE, TrainingManifest, expected=record.manifest),
            log=codec.read(folder / LOADER_LOG_FILE, LoaderLog, expected=record.loader_log),
        )
    except (RecordError, OSError) as error:
        raise DamagedError("A file of a reference is broken or gone.", remedy=TRAIN_AGAIN) from error


def references_for(plan: Plan, roles: RoleTable, champion: Champion, context: Context) -> tuple[StoredReference, ...]:
    """The references of a plan that are there and whole, in the order of their seeds. Damaged ones are told of."""
    found = []
    for seed, key in reference_keys(plan, roles, champion, context.elsewhere):
        try:
            reference = read_reference(reference_folder(context.workspace, key), key=key)
        except DamagedError as error:
            context.talk.say(f"The reference of seed {seed} is not used. {error.message} {error.remedy}")
            continue
        if reference is not None:
            found.append(reference)
    return tuple(found)


def kept_references(workspace: Workspace) -> KeptReferences:
    """Every reference of a workspace, whoever needs it."""
    folders = sorted(workspace.references.iterdir()) if workspace.references.is_dir() else []
    whole, begun, damaged = [], [], []
    for folder in folders:
        try:
            found = read_reference(folder)
        except DamagedError:
            damaged.append(folder.name)
            continue
        if found is None:
            begun.append(folder.name)
        else:
            whole.append(found)
    return KeptReferences(tuple(whole), tuple(begun), tuple(damaged))


# --- private ---------------------------------------------------------------------------------------


def _damaged(name: str) -> DamagedError:
    return DamagedError(f"{name} of a reference is not the file that was written.", remedy=TRAIN_AGAIN)
