"""Checkpoints of an unfinished training: tensors and plain values, replaced whole, read without pickle.

A checkpoint names the training it belongs to by digest; another training's is refused, because
going on from it would mix two models and still end with plausible weights.
"""

from __future__ import annotations

import dataclasses
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maintain.codec import write_bytes
from maintain.errors import DamagedError, InputError
from maintain.hashing import Digest
from maintain.imaging import weights_digest

#: Schema of a checkpoint file; a reader that does not know the version starts nothing.
_SCHEMA = ["maintain.training-checkpoint", 2]
#: The name alone: what lies in a checkpoint of any version can be named, though not gone on from.
_NAME = _SCHEMA[0]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a training needs to go on bit for bit after its last look: `feed` and `best` are plain values.

    `kept` holds the weights that the training would end with by now, where they are not the last; `objective` is what
    the objective remembers.
    """

    training: Digest
    initial_weights: Digest
    step: int
    network: dict[str, Tensor]
    optimiser: dict[str, Any]
    scheduler: dict[str, Any]
    feed: dict[str, Any]
    history: list[list[float]]
    rng: list[Tensor]
    kept: dict[str, Tensor] | None = None
    best: dict[str, Any] | None = None
    objective: dict[str, Tensor] = dataclasses.field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put the checkpoint in the place of the one before it, whole or not at all."""
    body = {field.name: getattr(checkpoint, field.name) for field in dataclasses.fields(checkpoint)}
    stream = io.BytesIO()
    torch.save({"schema": _SCHEMA, "body": body}, stream)
    write_bytes(path, stream.getvalue())


def read_checkpoint(path: Path, *, training: Digest) -> Checkpoint | None:
    """The checkpoint of this training, or None when there is none yet.

    Raises:
        DamagedError: The file is not a whole checkpoint.
        InputError: It belongs to another training.
    """
    if not path.exists():
        return None
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("not what torch.save writes")
        document = torch.load(path, map_location="cpu", weights_only=True)
        if document["schema"] != _SCHEMA:
            raise ValueError("another schema")
        checkpoint = Checkpoint(**document["body"])
    except (
        OSError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        raise DamagedError(
            f"The checkpoint {path.name} is not one that can be gone on from.",
            remedy="Remove it; the training then starts again from its seed.",
        ) from error
    if checkpoint.training != training:
        raise InputError(
            f"The checkpoint {path.name} belongs to another training (other cases, recipe or network).",
            remedy="Use another folder, or remove the checkpoint to start again.",
        )
    return checkpoint


def weights_in_checkpoint(path: Path) -> frozenset[Digest]:
    """The digests of the weights that a checkpoint holds, whichever training it is of; empty for any other file."""
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
        if document["schema"][0] != _NAME:
            return frozenset()
        body = document["body"]
        return frozenset(weights_digest(state) for state in (body["network"], body.get("kept")) if state is not None)
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
