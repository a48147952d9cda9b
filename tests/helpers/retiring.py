"""A version that is retired and destroyed: the words, what lies where, and copies strewn about to be found."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.commands import say
from helpers.lineage import MODEL, opened
from maintain.hashing import digest_file
from maintain_registry import EventKind, WeightFile, WeightKind, enter_weights, irregularities, weight_files

WHY = ("--reason", "ticket 4711")
RETIRE = ("registry", "retire", MODEL, 1, *WHY)
DESTROY = (*RETIRE, "--destroy", "--yes")
ARTIFACT = f"registry/{MODEL}/v0001/weights.safetensors"


def weights_of(workspace: Path, number: int) -> str:
    """The digest of a version's weights, as its record has it."""
    record = json.loads((workspace / f"registry/{MODEL}/v{number:04d}/version.json").read_bytes())
    found: str = record["body"]["weights"]
    return found


def bytes_of(workspace: Path, number: int) -> bytes:
    """The weights of a version, as they lie."""
    return (workspace / f"registry/{MODEL}/v{number:04d}/weights.safetensors").read_bytes()


def everywhere(workspace: Path, digest: str) -> list[str]:
    """Every file with these very bytes, looked for without the program's own walk."""
    files = [path for path in workspace.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(workspace)) for path in files if digest_file(path) == digest)


def rows(workspace: Path) -> dict[str, WeightFile]:
    """The register of weights, by place."""
    with opened(workspace) as context, context.database.read() as unit:
        return {row.place: row for row in weight_files(unit)}


def events(workspace: Path) -> list[str]:
    """What the ledger says happened, in order."""
    with opened(workspace) as context, context.database.read() as unit:
        return [entry.event.value for entry in context.ledger.entries(unit)]


def tombstone(workspace: Path) -> dict[str, object]:
    """What the ledger says of the one destruction."""
    with opened(workspace) as context, context.database.read() as unit:
        entries = [entry for entry in context.ledger.entries(unit) if entry.event is EventKind.WEIGHTS_DESTROYED]
    (entry,) = entries
    assert entry.envelope is not None
    return dict(entry.body)


def plant(workspace: Path) -> set[str]:
    """Copies in every room: registered, unregistered, half-written, in a checkpoint; and the rows of some."""
    data, digest = bytes_of(workspace, 1), weights_of(workspace, 1)
    training = workspace / "trainings" / f"{MODEL}-x"
    reference = workspace / "references" / "abc"
    run = workspace / "runs" / "r-1"
    staging = workspace / "registry" / MODEL / ".staging-old"
    for folder in (training, reference / "checkpoints", run / "checkpoints", staging):
        folder.mkdir(parents=True)
    (training / "weights.safetensors").write_bytes(data)
    (training / ".checkpoint.pt.7.partial").write_bytes(b"PK\x03\x04 cut short")
    (reference / "weights.safetensors").write_bytes(data)
    (reference / "reference.json").write_text("{}")
    (run / "abc.weights.safetensors").write_bytes(data)
    (staging / "weights.safetensors").write_bytes(data[:-3])
    (workspace / "forgotten-copy").write_bytes(data)
    with opened(workspace) as context, context.database.begin() as unit:
        enter_weights(unit, WeightFile(f"trainings/{MODEL}-x/checkpoint.pt", WeightKind.CHECKPOINT, MODEL))
        place = f"trainings/{MODEL}-x/weights.safetensors"
        enter_weights(unit, WeightFile(place, WeightKind.TRAINING, MODEL, digest, digest))
        place = "references/abc/weights.safetensors"
        enter_weights(unit, WeightFile(place, WeightKind.REFERENCE, MODEL, digest, digest))
    return {
        ARTIFACT,
        f"trainings/{MODEL}-x/weights.safetensors",
        f"trainings/{MODEL}-x/.checkpoint.pt.7.partial",
        f"registry/{MODEL}/.staging-old/weights.safetensors",
    }


def require_gone(workspace: Path, digest: str) -> None:
    """Nothing below the workspace holds these weights, and everything agrees on that."""
    assert everywhere(workspace, digest) == []
    assert not list(workspace.rglob(".staging-*"))
    assert not list(workspace.rglob("*.partial"))
    assert not (workspace / "references" / "abc").exists()
    assert all(row.weights != digest for row in rows(workspace).values())
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    with opened(workspace) as context, context.database.read() as unit:
        assert irregularities(unit, context.store) == ()
