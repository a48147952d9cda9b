"""The folder that becomes the files of a version: its own files, and what makes MLflow able to ask it.

Written by hand, without MLflow: its own writers would unpickle, infer or sample something, and an input
example is a patient's picture.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from maintain import codec
from maintain.hashing import CHUNK_BYTES, Digest, canonical_json, digest_file
from maintain.records import ModelSpec, ModelVersion
from maintain_registry.mlflow_store.serving_code import ENTRY, serving_code
from maintain_registry.port import Content

RECORD_FILE = "version.json"
FILES_FILE = "files.json"

#: Schema name and version of the list of files.
FILES_SCHEMA = ("maintain.mlflow-files", 1)

#: What a process needs that asks a version; `maintain` is not among it.
SERVING_NEEDS = ("mlflow", "torch", "monai", "safetensors", "numpy")


def fill(folder: Path, record: ModelVersion, files: Mapping[str, Content], *, holder: str) -> Digest:
    """Write everything below a folder and return the digest of the list of it; `holder` is the LoggedModel."""
    for name, content in files.items():
        _copy(content, folder / name)
    codec.write(folder / RECORD_FILE, record)
    package, code = serving_code()
    for name, data in code.items():
        place = folder / "code" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    needs = [f"{name}=={installed(name).partition('+')[0]}" for name in SERVING_NEEDS]
    (folder / "requirements.txt").write_text("".join(f"{need}\n" for need in needs), encoding="utf-8")
    _write(folder / "python_env.yaml", {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]})
    spec = codec.read(folder / "spec.json", ModelSpec)
    _write(folder / "MLmodel", _mlmodel(record, spec, package, holder))
    listed = {
        str(path.relative_to(folder)): {"sha256": digest_file(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    name, number = FILES_SCHEMA
    codec.write_bytes(
        folder / FILES_FILE, f"{canonical_json({'schema': name, 'version': number, 'body': listed})}\n".encode()
    )
    return digest_file(folder / FILES_FILE)


def listed_files(data: bytes) -> dict[str, tuple[Digest, int]]:
    """Digest and size of each file, out of the list. Raises `ValueError` for anything else."""
    try:
        document = json.loads(data)
        if (document["schema"], document["version"]) != FILES_SCHEMA:
            raise ValueError("another schema")
        return {name: (item["sha256"], item["bytes"]) for name, item in document["body"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a list of files") from error


# --- private ---------------------------------------------------------------------------------------


def _mlmodel(record: ModelVersion, spec: ModelSpec, package: str, holder: str) -> dict[str, Any]:
    """What MLflow reads first. The signature takes a batch of stored pixels, of any size."""
    channels, outputs = spec.input_shape[0], len(spec.label_order)
    return {
        "flavors": {
            "python_function": {
                "code": "code",
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": f"{package}.{ENTRY}",
                "python_version": platform.python_version(),
            }
        },
        "metadata": {
            "head": spec.head.value,
            "label_order": list(spec.label_order),
            "model": record.model,
            "operating_threshold": spec.operating_threshold,
            "version": record.version,
            "weights": record.weights,
        },
        "mlflow_version": installed("mlflow"),
        "model_id": holder,
        "model_uuid": holder.removeprefix("m-"),
        "signature": {
            "inputs": _tensors({"type": "uint8", "shape": [-1, -1, -1, channels]}),
            "outputs": _tensors(
                {"name": "probabilities", "type": "float64", "shape": [-1, outputs]},
                {"name": "decision", "type": "str", "shape": [-1]},
            ),
            "params": None,
        },
    }


def _tensors(*tensors: dict[str, Any]) -> str:
    """A schema of tensors as MLflow keeps it: JSON in a text."""
    described = [
        {
            **({"name": tensor["name"]} if "name" in tensor else {}),
            "type": "tensor",
            "tensor-spec": {"dtype": tensor["type"], "shape": tensor["shape"]},
        }
        for tensor in tensors
    ]
    return json.dumps(described)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """YAML that is JSON, so that nothing here depends on how a library folds lines."""
    path.write_text(f"{json.dumps(document, indent=2, sort_keys=True)}\n", encoding="utf-8")


def _copy(content: Content, target: Path) -> None:
    with target.open("xb") as out:
        if isinstance(content, bytes):
            out.write(content)
        else:
            with content.open("rb") as stream:
                shutil.copyfileobj(stream, out, CHUNK_BYTES)
