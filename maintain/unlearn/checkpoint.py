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
_SCHEMA = ["maintain.training-checkpoint", 1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a training needs to go on bit for bit after `epoch` finished passes."""

    training: Digest
    initial_weights: Digest
    epoch: int
    network: dict[str, Tensor]
    optimiser: dict[str, Any]
    scheduler: dict[str, Any]
    loader_counts: Tensor
    history: list[list[float]]
    rng: list[Tensor]


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


def weights_in_checkpoint(path: Path) -> Digest | None:
    """The digest of the weights that a checkpoint holds, whichever training it is of; None for any other file."""
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
        return weights_digest(document["body"]["network"]) if document["schema"] == _SCHEMA else None
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError, TypeError, AttributeError):
        return None
