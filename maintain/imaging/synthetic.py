"""What a version answers about synthetic pictures: taken when it is registered, compared before it serves again.

The answers themselves are kept, not a digest of them: sums of floats depend on threads, and rounding moves the
borders without removing them, so that any digest sometimes differs where nothing did. The pictures are drawn from
a seed by SHA-256 alone, so that nobody's library can change them, and hold nothing of any patient.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maintain.errors import DamagedError, NotEvaluatedError
from maintain.hashing import digest_bytes
from maintain.imaging.blueprint import blueprint_of
from maintain.imaging.transforms import Chain
from maintain.records import ModelSpec, SyntheticAnswers

#: Pictures asked about: half of them noise, half coarse patches, as networks answer the two from other layers.
PICTURES = 8

#: The seed of every record of answers until this file draws otherwise.
SEED = 1

#: Patches along one side of a coarse picture.
PATCHES = 4

#: How much larger than the network's input a picture is where preprocessing resizes it: that is then seen too.
ENLARGED = 2

#: Answers further apart than this, as a part of the largest answer, are another model's. Measured on one machine,
#: DenseNet121 of 224 pixels on one, two and four threads, with and without oneDNN: at most 2e-7.
ANSWER_TOLERANCE = 1e-5


def synthetic_answers(network: nn.Module, spec: ModelSpec, *, seed: int = SEED) -> SyntheticAnswers:
    """Ask a network about pictures drawn from a seed, on the processor. It is put into evaluation mode.

    Raises `NotEvaluatedError` where an answer is not a finite number.
    """
    pictures = _pictures(spec, seed)
    network.eval()
    with torch.inference_mode():
        outputs = network(Chain(spec.preprocessing).apply(torch.from_numpy(pictures))).to(torch.float64)
    if not bool(torch.isfinite(outputs).all()):
        raise NotEvaluatedError(
            "The model answers synthetic pictures with numbers that are not finite.",
            remedy="Do not use these weights; train them anew.",
        )
    rows = tuple(tuple(float(number) for number in row) for row in outputs.tolist())
    return SyntheticAnswers(seed, digest_bytes(pictures.tobytes()), rows)


def answers_apart(network: nn.Module, spec: ModelSpec, recorded: SyntheticAnswers) -> float:
    """How far a network now answers from what is recorded: max |a - b| / max(1, max |b|).

    Raises `DamagedError` where the record is of other pictures or of another number of outputs.
    """
    present = synthetic_answers(network, spec, seed=recorded.seed)
    now, then = np.array(present.outputs), np.array(recorded.outputs)
    if present.pictures != recorded.pictures or now.shape != then.shape or not np.isfinite(then).all():
        raise DamagedError(
            "The recorded answers are not about the pictures that this version of the program draws.",
            remedy="Ask the version with the program that registered it.",
        )
    return float(np.abs(now - then).max() / max(1.0, np.abs(then).max()))


# --- private ---------------------------------------------------------------------------------------


def _pictures(spec: ModelSpec, seed: int) -> NDArray[np.uint8]:
    """uint8 [N, H, W, C], as pictures are stored."""
    channels, height, width = blueprint_of(spec).input_shape
    if any(step.name == "resize" for step in spec.preprocessing):
        height, width = ENLARGED * height, ENLARGED * width
    noise = _drawn(f"noise {seed}", (PICTURES // 2, height, width, channels))
    patches = _drawn(f"patches {seed}", (PICTURES - PICTURES // 2, PATCHES, PATCHES, channels))
    rows, columns = np.arange(height) * PATCHES // height, np.arange(width) * PATCHES // width
    return np.ascontiguousarray(np.concatenate([noise, patches[:, rows][:, :, columns]]))


def _drawn(name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bytes from SHA-256 of a name and a counter: the same on every machine and for good."""
    size = int(np.prod(shape))
    blocks = (size + hashlib.sha256().digest_size - 1) // hashlib.sha256().digest_size
    data = b"".join(hashlib.sha256(f"maintain {name} {block}".encode()).digest() for block in range(blocks))
    return np.frombuffer(data[:size], dtype=np.uint8).reshape(shape)
