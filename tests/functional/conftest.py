"""A small, easy hospital and the consent story played on it once; tests work on copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.workspaces import new_workspace
from maintain.clock import SystemClock
from maintain.hospital import HospitalOptions, build_hospital
from maintain_pipelines.demo import demo_key

#: Easy to learn, so that two honest trainings agree and a few hundred holdout cases are enough.
EASY = HospitalOptions(
    patients=260, seed=3, difficulty=0.0, patient_label_noise=0.0, image_label_noise=0.0, duplicates=6
)

#: Passes that are enough for it.
EPOCHS = "6"

POLICY = """\
version: 1
name: consent-withdrawal
owner: imaging-ai@hospital.example
reason: consent
claim: never-saw
model: {name: fundus-triage}
forget:
  where: {consent.status: withdrawn}
unlearn: {methods: [retrain], seed: 11}
gates: [default, {retention: {margin: 0.15}}]
"""


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hospital's folder."""
    folder = tmp_path_factory.mktemp("source") / "hospital"
    build_hospital(folder, EASY)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, hospital: Path) -> Path:
    """A workspace with a champion, before any letter arrived. Copy it before changing it."""
    workspace = tmp_path_factory.mktemp("trained") / "workspace"
    new_workspace(workspace, clock=SystemClock(), pseudonym_key=demo_key(3))
    for arguments in (
        ("cohort", "ingest", hospital / "dicom"),
        ("cohort", "ingest", hospital / "labels.csv", "--kind", "labels"),
        ("cohort", "split", "fundus-triage", "--train", 6, "--validation", 1, "--holdout", 6),
        ("cohort", "snapshot", "first", "--model", "fundus-triage"),
        ("model", "train", "fundus-triage", "--snapshot", "first", "--epochs", EPOCHS),
    ):
        said = say(*arguments, workspace=workspace)
        assert said.code == 0, said.err
    (workspace / "policies" / "consent.yaml").write_text(POLICY, encoding="utf-8")
    return workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, trained: Path, hospital: Path) -> Path:
    """A workspace in which the consent story has ended well."""
    workspace = tmp_path_factory.mktemp("finished") / "workspace"
    shutil.copytree(trained, workspace)
    letters = say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    assert letters.code == 0, letters.err
    said = say("run", workspace / "policies" / "consent.yaml", workspace=workspace)
    assert said.code == 0, said.out + said.err
    return workspace


@pytest.fixture
def fresh(tmp_path: Path, trained: Path) -> Path:
    """A copy of the trained workspace."""
    return Path(shutil.copytree(trained, tmp_path / "workspace"))


@pytest.fixture
def ended(tmp_path: Path, finished: Path) -> Path:
    """A copy of the finished workspace."""
    return Path(shutil.copytree(finished, tmp_path / "workspace"))
