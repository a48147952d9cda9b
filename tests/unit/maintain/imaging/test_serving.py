"""A served model refuses what it was not made to read, and answers alike in one batch or in many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.registering import make_version
from maintain import codec
from maintain.errors import DamagedError, InputError, NotEvaluatedError
from maintain.imaging import save_weights, state_of, toy_problem
from maintain.imaging import serving as module
from maintain.imaging.serving import ServedModel
from maintain.records import ModelSpec


def made(folder: Path, **changed: object) -> Path:
    """The files of a version of the toy."""
    toy = toy_problem(seed=1)
    spec: ModelSpec = replace(toy.spec(), **changed)  # type: ignore[arg-type]
    weights = save_weights(folder / "weights.safetensors", state_of(toy.blueprint.build(seed=2)))
    version, _ = make_version(model="toy", number=1)
    codec.write(folder / "spec.json", spec)
    codec.write(folder / "version.json", replace(version, weights=weights, spec=codec.digest_of(spec)))
    return folder


def test_pixels_that_it_was_not_made_for_are_refused(tmp_path: Path) -> None:
    model = ServedModel(made(tmp_path))
    for wrong in (np.zeros((0, 16, 16, 3)), np.zeros((1, 16, 16, 3)), np.zeros((16, 16, 3))):
        kind = np.float32 if len(wrong) == 1 else np.uint8
        with pytest.raises(InputError, match="reads uint8"):
            model.predict(wrong.astype(kind))
    with pytest.raises(InputError, match="come out of preprocessing"):
        model.predict(np.zeros((1, 16, 16, 1), np.uint8))


def test_other_weights_another_spec_and_an_unknown_rule_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="decides without a threshold"):
        ServedModel(made(tmp_path, operating_threshold=0.4))
    for name in ("weights.safetensors", "spec.json"):
        data = (made(tmp_path) / name).read_bytes()
        (tmp_path / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(DamagedError):
            ServedModel(tmp_path)


def test_an_output_that_is_no_number_is_no_answer(tmp_path: Path) -> None:
    model = ServedModel(made(tmp_path))
    parameter = next(iter(model._network.parameters()))
    parameter.data.fill_(float("nan"))
    with pytest.raises(NotEvaluatedError):
        model.predict(np.zeros((1, 16, 16, 3), np.uint8))


def test_one_batch_and_many_answer_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ServedModel(made(tmp_path))
    images = np.random.default_rng(3).integers(0, 256, (7, 24, 20, 3), dtype=np.uint8)
    whole = model.predict(images)
    monkeypatch.setattr(module, "SERVING_BATCH", 2)
    parts = model.predict(images)
    assert np.abs(whole["probabilities"] - parts["probabilities"]).max() < 1e-6
    assert whole["decision"].tolist() == parts["decision"].tolist()
    assert np.allclose(whole["probabilities"].sum(axis=1), 1.0)
    assert set(whole["decision"]) <= {"left", "middle", "right"}
