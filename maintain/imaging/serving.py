"""A registered version as anybody may ask it: pixels in, probabilities and a decision out.

MLflow loads this module from a version's own files (`loader_module`), beside a copy of the rooms it
imports: network, preprocessing, label order and operating threshold are those that were judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maintain import codec
from maintain.errors import InputError, NotEvaluatedError, RefusedError
from maintain.imaging.blueprint import blueprint_of
from maintain.imaging.heads import head_rule
from maintain.imaging.transforms import Chain
from maintain.imaging.weights import load_model
from maintain.records import ModelSpec, ModelVersion

#: Pictures asked at a time, so that memory is bounded whatever the batch.
SERVING_BATCH = 256

#: Left among the files of a version when its weights go; the registry writes it.
ERASED_FILE = "erased.json"


class ServedModel:
    """A version with its weights. Two of them, of one file, answer alike.

    Raises:
        InputError: The model needs an operating rule that this code does not have.
        DamagedError: A file is not the one that the record of the version names.
        RefusedError: The weights were destroyed.
    """

    def __init__(self, folder: Path) -> None:
        record = codec.read(folder / "version.json", ModelVersion)
        if (folder / ERASED_FILE).exists():
            raise RefusedError(
                f"The weights of version {record.version} of {record.model} were destroyed for good.",
                remedy="Ask the version that serves; the ledger says why this one cannot be asked.",
            )
        self._spec = codec.read(folder / "spec.json", ModelSpec, expected=record.spec)
        if self._spec.operating_threshold is not None:
            raise InputError(
                f"The head {self._spec.head.value!r} decides without a threshold, and this model names one.",
                remedy="Ask it with the version of the program that made it.",
            )
        self._network: nn.Module = load_model(self._spec, folder / "weights.safetensors", expected=record.weights)
        self._chain = Chain(self._spec.preprocessing)

    def predict(self, images: NDArray[np.uint8], params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`probabilities` [N, labels] in label order and `decision` [N], of stored pixels uint8 [N, H, W, C].

        Raises:
            InputError: The pixels are not what the model reads.
            NotEvaluatedError: An output is not a finite number.
        """
        batch = np.ascontiguousarray(images)
        if batch.dtype != np.uint8 or batch.ndim != _AXES or not len(batch):
            raise InputError(
                f"The model reads uint8 [N, H, W, C], not {batch.dtype} of shape {batch.shape}.",
                remedy="Give at least one picture, as it is stored.",
            )
        parts = [self._outputs(batch[start : start + SERVING_BATCH]) for start in range(0, len(batch), SERVING_BATCH)]
        outputs = torch.cat(parts)
        if not bool(torch.isfinite(outputs).all()):
            raise NotEvaluatedError("The model's outputs are not finite numbers.", remedy="Do not use this version.")
        places = head_rule(self._spec.head).decide(outputs).tolist()
        return {
            "probabilities": torch.softmax(outputs, dim=1).numpy(),
            "decision": np.array([self._spec.label_order[place] for place in places]),
        }

    def _outputs(self, batch: NDArray[np.uint8]) -> torch.Tensor:
        images = torch.from_numpy(np.array(batch))
        self._chain.check(images, blueprint_of(self._spec).input_shape)
        with torch.inference_mode():
            return self._network(self._chain.apply(images)).to(torch.float64)  # type: ignore[no-any-return]


def _load_pyfunc(path: str) -> ServedModel:
    """What MLflow calls with the folder of a version's files."""
    return ServedModel(Path(path))


# --- private ---------------------------------------------------------------------------------------

#: Pictures, height, width, channels.
_AXES = 4
