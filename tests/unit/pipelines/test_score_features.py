"""Features of a registered model: which version may be asked, what it cannot read, and that a picture is asked once.

A network is trained for one pass, because what is tested is a registered version as a command finds it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.commands import say
from helpers.lineage import opened
from helpers.workspaces import new_workspace
from maintain.errors import DamagedError, InputError, NotEvaluatedError, RetiredError, UnknownNameError
from maintain.imaging import model_of, read_weights_bytes
from maintain.measure import last_hidden
from maintain.records import ModelSpec, PlannedCase
from maintain.vocabulary import Role
from maintain_pipelines.champions import WEIGHTS_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.score_cases import cases_to_score
from maintain_pipelines.score_features import Reader, open_reader

MODEL = "fundus-triage"
WEIGHTS = f"registry/{MODEL}/v0001/{WEIGHTS_FILE}"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    practice = tmp_path_factory.mktemp("features") / "practice"
    assert say("cohort", "sample", practice, "--patients", 60, "--seed", 5).code == 0
    place = new_workspace(tmp_path_factory.mktemp("features") / "workspace")
    for words in (
        ("cohort", "ingest", practice / "dicom"),
        ("cohort", "ingest", practice / "labels.csv", "--kind", "labels"),
        ("cohort", "split", MODEL),
        ("cohort", "snapshot", "first", "--model", MODEL),
        ("model", "train", MODEL, "--snapshot", "first", "--epochs", 1),
    ):
        said = say(*words, workspace=place)
        assert said.code == 0, said.err
    return place


@pytest.fixture
def workspace(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "workspace"))


@pytest.fixture
def context(workspace: Path) -> Iterator[Context]:
    with opened(workspace) as found:
        yield found


@pytest.mark.parametrize("named", ["", "triage", ":1", f"{MODEL}:", f"{MODEL}:2", f"{MODEL}:01", f"{MODEL}:champion"])
def test_a_model_or_version_that_nobody_registered_is_refused(context: Context, named: str) -> None:
    with pytest.raises(UnknownNameError):
        open_reader(named, context)


def test_a_retired_version_is_not_asked_and_nor_is_a_model_without_a_champion(workspace: Path) -> None:
    for words in (("suspend", MODEL), ("retire", MODEL, 1)):
        said = say("registry", *words, "--reason", "ticket 4711", workspace=workspace)
        assert said.code == 0, said.err
    with opened(workspace) as context:
        with pytest.raises(InputError, match="no champion"):
            open_reader(MODEL, context)
        with pytest.raises(RetiredError):
            open_reader(f"{MODEL}:1", context)


def test_changed_weights_are_not_asked(workspace: Path) -> None:
    data = bytearray((workspace / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (workspace / WEIGHTS).chmod(0o600)
    (workspace / WEIGHTS).write_bytes(bytes(data))
    for named in (MODEL, f"{MODEL}:1"):
        with opened(workspace) as context, pytest.raises(DamagedError):
            open_reader(named, context)


def test_pictures_that_it_cannot_read_are_refused_by_its_name(context: Context) -> None:
    usable, _ = cases_to_score(context)
    reader = open_reader(MODEL, context)
    side = reader.champion.spec.input_shape[1]
    other = replace(reader, champion=replace(reader.champion, spec=_reading(reader, (1, side, side))))
    with pytest.raises(InputError, match=f"{MODEL} version 1 .* cannot read all of these pictures"):
        other.features(usable, context)


def test_activations_that_are_no_numbers_are_not_evaluated(context: Context) -> None:
    usable, _ = cases_to_score(context)
    reader = open_reader(MODEL, context)
    for parameter in reader.network.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(NotEvaluatedError, match="not finite"):
        reader.features(usable[:3], context)


def test_features_are_those_of_the_last_layer_in_the_order_of_the_cases(context: Context) -> None:
    usable, _ = cases_to_score(context)
    asked = (*usable[::-1], usable[0])
    reader = open_reader(f"{MODEL}:1", context)
    version, spec = reader.champion.version, reader.champion.spec
    data = context.store.get(MODEL, 1).read(WEIGHTS_FILE)
    network = model_of(spec, read_weights_bytes(data, expected=version.weights))
    rows = [PlannedCase(case.case_id, 1, "", "", case.pixels, Role.VALIDATION, "") for case in asked]
    expected = last_hidden(network, spec, rows, context.arrays)
    assert np.allclose(reader.features(asked, context), expected, atol=1e-5)
    assert reader.told == f"{MODEL} version 1 (weights {version.weights[:12]})"


def test_pictures_of_several_sizes_are_asked_and_progress_is_told(context: Context) -> None:
    told: list[int] = []
    context = replace(context, talk=replace(context.talk, progress=lambda _, done, __: told.append(done)))
    usable, _ = cases_to_score(context)
    picture = context.arrays.get(usable[0].pixels)
    large = replace(usable[0], pixels=context.arrays.put(picture.repeat(2, axis=0).repeat(2, axis=1)))
    features = open_reader(MODEL, context).features((usable[0], large, usable[1]), context)
    assert np.isfinite(features).all()
    assert not np.allclose(features[0], features[2])
    assert told == [3]


def _reading(reader: Reader, shape: tuple[int, int, int]) -> ModelSpec:
    return replace(reader.champion.spec, input_shape=shape)
