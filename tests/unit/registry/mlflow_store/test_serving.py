"""A version is asked through MLflow by a process that has never heard of `maintain`."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.mlflow_registry import copied
from maintain import codec
from maintain.hashing import digest_bytes
from maintain.imaging import load_images, model_of, save_weights, state_of, toy_problem
from maintain.measure import measure
from maintain.records import Origin, TrainingManifest
from maintain.vocabulary import Alias, ManifestStatus, OriginKind, Role
from maintain_registry.mlflow_store import MlflowStore
from maintain_registry.mlflow_store.payload import SERVING_NEEDS
from maintain_registry.mlflow_store.serving_code import MODULES, serving_code

ROOT = Path(__file__).parents[4]

#: Largest difference between an answer of ours and one through MLflow.
TOLERANCE = 1e-6

CHILD = """
import importlib.machinery, json, sys, warnings

class Absent(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in ("maintain", "maintain_registry", "maintain_pipelines", "maintain_policies"):
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Absent
warnings.simplefilter("ignore")
import mlflow, numpy as np

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/toy@champion")
told = model.predict(np.load(sys.argv[2]))
refused = []
wrongs = [((1, 16, 16, 3), np.float32), ((1, 16, 16, 1), np.uint8), ((16, 16, 3), np.uint8)]
for wrong in (np.zeros(shape, kind) for shape, kind in wrongs):
    try:
        model.predict(wrong)
    except Exception as error:
        refused.append(type(error).__name__)
ours = sorted(name for name in sys.modules if name.partition(".")[0].startswith("maintain"))
print(json.dumps({
    "probabilities": told["probabilities"].tolist(),
    "decision": told["decision"].tolist(),
    "labels": model.metadata.metadata["label_order"],
    "inputs": model.metadata.signature.inputs.to_dict(),
    "refused": len(refused),
    "packages": sorted({name.partition(".")[0] for name in ours}),
}))
"""


def stored_toy(root: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64], list[str]]:
    """A registry with one toy model that serves; pixels, and our own answers to them."""
    from helpers.registering import make_version

    toy = toy_problem(seed=3, roles=((Role.HOLDOUT, 20),))
    manifest = TrainingManifest(
        "toy", ManifestStatus.PROVEN, Origin(OriginKind.INITIALISATION, digest_bytes(b"i")), (), (), ()
    )
    spec = toy.spec(manifest=codec.digest_of(manifest))
    network = toy.blueprint.build(seed=5)
    weights = save_weights(root / "w", state_of(network))
    version, files = make_version(model="toy", number=1)
    content: dict[str, bytes] = {
        **files,
        "weights.safetensors": (root / "w").read_bytes(),
        "spec.json": codec.to_text(spec).encode(),
        "manifest.json": codec.to_text(manifest).encode(),
    }
    from dataclasses import replace

    record = replace(version, weights=weights, spec=codec.digest_of(spec), manifest=codec.digest_of(manifest))
    store = MlflowStore(root)
    store.put(record, content)
    store.set_alias("toy", Alias.CHAMPION, 1, expected=None)
    rows = measure(model_of(spec, state_of(network)), spec, toy.rows, toy.pixels, weights=weights)
    logits = np.array([row.logits for row in rows])
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    decided = [toy.blueprint.label_order[place] for place in logits.argmax(axis=1)]
    images = load_images(toy.pixels, [row.pixels for row in toy.rows]).numpy()
    return images, shifted / shifted.sum(axis=1, keepdims=True), decided


def test_it_answers_in_a_process_without_maintain(tmp_path: Path, mlflow_template: Path) -> None:
    images, probabilities, decided = stored_toy(copied(mlflow_template, tmp_path / "registry"))
    np.save(tmp_path / "images.npy", images)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    address = f"sqlite:///{tmp_path / 'registry' / 'mlflow.db'}"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, address, str(tmp_path / "images.npy")],
        env={**environment, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert np.abs(np.array(told["probabilities"]) - probabilities).max() < TOLERANCE
    assert told["decision"] == decided
    assert told["labels"] == ["left", "middle", "right"]
    assert told["inputs"] == [{"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1, -1, -1, 3]}}]
    assert told["refused"] == 3
    assert told["packages"] == [serving_code()[0]]


def test_nothing_that_travels_is_pickled_sampled_or_placed(tmp_path: Path, mlflow_template: Path) -> None:
    """No pickle, no archive, no example, and no place on this machine in any file or row."""
    root = copied(mlflow_template, tmp_path / "registry")
    stored_toy(root)
    found = sorted((root / "artifacts").rglob("*"))
    files = [path for path in found if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".jsonl", ".py", ".safetensors", ".txt", ".yaml", ""}
    assert [path.name for path in files if "example" in path.name] == []
    for path in files:
        data = path.read_bytes()
        assert not data.startswith((b"\x80", b"PK")), path.name
        assert str(tmp_path).encode() not in data, path.name
    requirements = next(path for path in files if path.name == "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in requirements] == list(SERVING_NEEDS)


# --- the code that travels -------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """The modules of ours that a module imports, wherever in it, but for the eyes of a type checker."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    found = set(re.findall(r'"maintain\.(imaging\.\w+):', path.read_text(encoding="utf-8")))
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.ImportFrom):
            continue
        if node.module == "maintain":
            found |= {alias.name for alias in node.names}
        elif node.module and node.module.startswith("maintain."):
            found.add(node.module.removeprefix("maintain."))
    return {f"{name}.__init__" if (ROOT / "maintain" / name).is_dir() else name for name in found}


def test_exactly_what_serving_imports_travels() -> None:
    seen: set[str] = set()
    waiting = {"imaging.serving", "imaging.__init__"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= imported(ROOT / "maintain" / f"{name.replace('.', '/')}.py") - seen
    assert sorted(seen) == list(MODULES)


def test_the_copy_names_no_module_of_the_original() -> None:
    package, code = serving_code()
    for name, data in code.items():
        tree = ast.parse(data)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.partition(".")[0] != "maintain", name
    assert f'build="{package}.imaging.architectures:small_bn"'.encode() in code[f"{package}/imaging/networks.py"]
    assert b'("maintain.model-spec", 1)' in code[f"{package}/codec.py"]


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.bin", "data/model.pth", "MLmodel"])
def test_a_pickled_payload_is_refused(tmp_path: Path, mlflow_template: Path, name: str) -> None:
    """Whatever it is called, the layout of MLflow's own PyTorch flavour included."""
    import pickle
    from dataclasses import replace

    from helpers.registering import make_version
    from maintain.errors import InputError

    store = MlflowStore(copied(mlflow_template, tmp_path / "registry"))
    version, files = make_version(number=1)
    pickled = pickle.dumps({"w": [1]})
    with pytest.raises(InputError, match="match its record"):
        store.put(version, {**files, name: pickled})
    with pytest.raises(InputError, match="safetensors"):
        store.put(replace(version, weights=digest_bytes(pickled)), {**files, "weights.safetensors": pickled})
    assert store.models() == ()
    assert not (tmp_path / "registry" / "artifacts").exists()
