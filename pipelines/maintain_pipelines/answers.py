"""What a version answers when it is registered, written down beside its files so that it can be asked again.

The pictures are synthetic (`maintain.imaging`): no patient's pixels are needed to try a version years later, when
those it was judged on may be gone.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from maintain import codec
from maintain.hashing import Digest
from maintain.imaging import answers_apart, load_model, synthetic_answers, threads
from maintain.records import ModelSpec, SyntheticAnswers
from maintain_pipelines.context import Context
from maintain_pipelines.environment import pick_threads
from maintain_registry import OUTPUTS_FILE, StoredVersion


def answers_file(spec: ModelSpec, weights: Path, digest: Digest, context: Context) -> bytes:
    """The file of a version's answers. Raises `NotEvaluatedError` where one is not a finite number."""
    network = load_model(spec, weights, expected=digest)
    with threads(pick_threads(context.workspace)):
        return codec.to_text(synthetic_answers(network, spec)).encode()


def apart_from_registration(stored: StoredVersion, network: nn.Module, spec: ModelSpec) -> float | None:
    """How far a network answers from what its version answered then; None where that was not recorded yet."""
    if OUTPUTS_FILE not in stored.files:
        return None
    recorded = codec.from_text(SyntheticAnswers, stored.read(OUTPUTS_FILE).decode(), source=OUTPUTS_FILE)
    return answers_apart(network, spec, recorded)
