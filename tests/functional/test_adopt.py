"""A model that somebody trained elsewhere: adopted with its outputs checked, unlearned, and proven from there on."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import foreign_training, killing
from helpers.commands import Said, say
from helpers.foreign_training import MEAN, SPREAD
from helpers.refusing import refused
from maintain.database import open_database
from maintain.intake import load_pseudonyms
from maintain_pipelines.adopting import TOLERANCE
from maintain_registry import Ledger

NAME = "served"
PREPROCESSING = f"""\
- EnsureChannelFirst
- Resize: {{spatial_size: [32, 32], mode: bilinear}}
- ScaleIntensityRange: {{a_min: 0, a_max: 255, b_min: 0.0, b_max: 1.0, clip: true}}
- NormalizeIntensity: {{subtrahend: {list(MEAN)}, divisor: {list(SPREAD)}, channel_wise: true}}
"""
RECIPE = """\
optimiser: sgd-nesterov
learning_rate: 0.05
momentum: 0.9
weight_decay: 5.0e-4
schedule: one-cycle
epochs: 6
batch_size: 64
clip_norm: 1.0
"""
POLICY = """\
version: 1
name: consent-withdrawal
owner: imaging-ai@hospital.example
reason: consent
claim: never-saw
model: {name: served}
forget:
  where: {consent.status: withdrawn}
unlearn: {methods: [retrain], seed: 11}
gates: [default, {retention: {margin: 0.15}}]
"""


@dataclass(frozen=True, slots=True)
class Export:
    """What the hospital brings."""

    folder: Path
    labels: str

    def words(self, *more: object, without: str = "", arrays: bool = False) -> tuple[object, ...]:
        """The command line of a good adoption; `without` leaves one of its files out."""
        said = {
            "--preprocessing": self.folder / "preprocessing.yaml",
            "--expect": self.folder / "outputs.csv",
            "--trained-on": self.folder / "members.csv",
            "--recipe": self.folder / "recipe.yaml",
        }
        if arrays:
            said = {**said, "--arrays": self.folder / "arrays"}
            del said["--preprocessing"]
        files = [word for option, path in said.items() if option != without for word in (option, path)]
        mapped = ("--strip-prefix", "module.net.", "--rename", "classifier=head")
        named = ("model", "adopt", NAME, self.folder / "model.pt", "--labels", f"diagnosis={self.labels}")
        return (*named, *mapped, *files, *more)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory, hospital: Path) -> Export:
    """A model trained by a script that has never heard of this program, in a process without it."""
    folder = tmp_path_factory.mktemp("export")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, foreign_training.__file__, hospital, folder], env=environment, check=True)
    (folder / "preprocessing.yaml").write_text(PREPROCESSING, encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return Export(folder, (folder / "labels.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory, trained: Path, export: Export) -> Path:
    """A workspace with the adopted model. Copy it before changing it."""
    workspace = Path(shutil.copytree(trained, tmp_path_factory.mktemp("adopted") / "workspace"))
    said = say(*export.words(), workspace=workspace)
    assert said.code == 0, said.err
    (workspace / "policies" / "served.yaml").write_text(POLICY, encoding="utf-8")
    return workspace


def require_nothing_left(workspace: Path) -> None:
    assert not (workspace / "trainings" / f"adopt-{NAME}").exists()
    assert NAME not in str(say("model", "list", workspace=workspace).out)


# --- refusals --------------------------------------------------------------------------------------


def edited(export: Export, tmp_path: Path, name: str, old: str, new: str) -> Path:
    path = tmp_path / name
    text = (export.folder / name).read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_another_preprocessing_than_productions_is_refused(fresh: Path, export: Export, tmp_path: Path) -> None:
    wrong = edited(export, tmp_path, "preprocessing.yaml", "b_max: 1.0", "b_max: 2.0")
    more = ("--preprocessing", wrong)
    refused(*export.words(*more), workspace=fresh, says="does not answer what production", remedy="preprocessing")
    require_nothing_left(fresh)


def test_labels_in_another_order_are_recognised(fresh: Path, export: Export) -> None:
    first, *others = export.labels.split(",")
    words = export.words("--labels", f"diagnosis={','.join([*others, first])}")
    refused(*words, workspace=fresh, says="cases differ", remedy=f"say --labels NAME={export.labels}")
    require_nothing_left(fresh)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--strip-prefix", "modul."), "Did you mean 'module'"),
        (("--network", "resnet81"), "Did you mean 'resnet18'"),
        (("--network", "all-cnn"), "does not fit the network 'all-cnn'"),
        (("--labels", "diagnosis=drusen,atrophy"), "do not sum to one"),
        (("--labels", "grade=a,b,c"), "no column a"),
        (("--threshold", "0.3"), "neither judged nor served"),
        (("--tolerance", "0"), "cannot be compared"),
        (("--expect", "gone.csv"), "cannot be read"),
        (("--recipe", "gone.yaml"), "cannot be read"),
        (("--trained-on", "gone.csv"), "cannot be read"),
        (("--preprocessing", "gone.yaml"), "cannot be read"),
        (("--arrays", "gone"), "no such folder"),
        (("--head", "binary"), "does not support the head"),
    ],
)
def test_what_does_not_fit_is_refused(trained: Path, export: Export, more: tuple[str, ...], says: str) -> None:
    refused(*export.words(*more), workspace=trained, says=says, audit=None)
    require_nothing_left(trained)


def test_an_unknown_transform_names_the_nearest(trained: Path, export: Export, tmp_path: Path) -> None:
    wrong = edited(export, tmp_path, "preprocessing.yaml", "NormalizeIntensity", "NormaliseIntensity")
    words = export.words("--preprocessing", wrong)
    refused(*words, workspace=trained, says="yaml:4:3: ", remedy="Allowed: ", audit=None)


def test_a_truncated_file_of_weights_is_refused(trained: Path, export: Export, tmp_path: Path) -> None:
    cut = tmp_path / "model.pt"
    cut.write_bytes((export.folder / "model.pt").read_bytes()[:-100])
    words = [cut if word == export.folder / "model.pt" else word for word in export.words()]
    refused(*words, workspace=trained, says="no whole file of weights", audit=None)
    require_nothing_left(trained)


def test_a_second_adoption_is_refused(adopted: Path, export: Export) -> None:
    refused(*export.words(), workspace=adopted, says="has versions already", remedy="another name")
    words = list(export.words())
    words[2] = "fundus-triage"
    refused(*words, workspace=adopted, says="has versions already")


def test_a_workspace_that_may_not_be_written_is_left_as_it_was(fresh: Path, export: Export) -> None:
    from functional.test_bad_input import with_rights_that_count

    (fresh / "trainings").chmod(0o500)
    done = with_rights_that_count("-w", fresh, *export.words())
    (fresh / "trainings").chmod(0o700)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    require_nothing_left(fresh)


# --- what is adopted -------------------------------------------------------------------------------


def test_the_default_tolerance_is_the_stated_one() -> None:
    from maintain.cli.model_adopt import DEFAULT_TOLERANCE

    assert DEFAULT_TOLERANCE == TOLERANCE


def test_an_adopted_model_serves_what_production_served(adopted: Path, export: Export) -> None:
    shown = say("model", "show", NAME, "--json", workspace=adopted).document
    assert shown["version"]["method"] == "adopt"
    assert shown["version"]["loader_log"] is None
    assert shown["manifest"]["status"] == "declared"
    assert shown["spec"]["recipe"]["epochs"] == 6
    with (export.folder / "members.csv").open(encoding="utf-8") as stream:
        declared = [row["role"] for row in csv.DictReader(stream)]
    assert shown["manifest"]["learned"] == declared.count("train")
    assert shown["manifest"]["selected_with"] == declared.count("validation")
    (entry,) = installed(adopted)
    assert entry["compared"]["cases"] == len(declared)
    assert entry["compared"]["worst"] <= 1e-5
    assert say("audit", "verify", "--require-anchor", workspace=adopted).code == 0
    assert say("doctor", workspace=adopted).code == 0


def test_without_expected_outputs_it_warns_and_records_that(fresh: Path, export: Export) -> None:
    said = say(*export.words(without="--expect"), workspace=fresh)
    assert said.code == 0, said.err
    assert "WARNING: nothing was compared with production" in said.err
    assert "compared with nothing" in said.out
    (entry,) = installed(fresh)
    assert entry["compared"] is None


def test_an_unknown_manifest_refuses_unlearning_with_its_reason(fresh: Path, export: Export, hospital: Path) -> None:
    assert say(*export.words(without="--trained-on"), workspace=fresh).code == 0
    withdraw(fresh, hospital)
    (fresh / "policies" / "served.yaml").write_text(POLICY, encoding="utf-8")
    for command in ("plan", "run"):
        policy = fresh / "policies" / "served.yaml"
        refused(command, policy, workspace=fresh, says="Nobody knows what served was trained on", remedy="--trained-on")


def test_without_a_recipe_a_retrain_is_refused(fresh: Path, export: Export, hospital: Path) -> None:
    assert say(*export.words(without="--recipe"), workspace=fresh).code == 0
    withdraw(fresh, hospital)
    (fresh / "policies" / "served.yaml").write_text(POLICY, encoding="utf-8")
    said = say("run", fresh / "policies" / "served.yaml", workspace=fresh)
    assert said.code != 0
    assert "no recipe" in said.err


def test_a_patient_without_a_role_is_never_held_out(fresh: Path, export: Export, tmp_path: Path) -> None:
    with (export.folder / "members.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    held_out = [row for row in rows if row["role"] == "holdout"]
    silent = {row["SOPInstanceUID"] for row in held_out[::2]}
    members = tmp_path / "members.csv"
    listed = [f"{row['SOPInstanceUID']},{row['role']}" for row in rows if row["SOPInstanceUID"] not in silent]
    members.write_text("\n".join(["SOPInstanceUID,role", *listed]), encoding="utf-8")
    said = say(*export.words("--trained-on", members), workspace=fresh)
    assert said.code == 0, said.err
    refused("cohort", "split", NAME, workspace=fresh, says="declared when it was adopted")
    database = open_database(fresh / "maintain.db")
    with database.read() as unit:
        from maintain.cohort import CohortStore, splits_of

        sides, keys = splits_of(unit, NAME), load_pseudonyms(fresh / "keys" / "pseudonym.key")
        named = {keys.uid("instance", row["SOPInstanceUID"]) for row in rows} - {
            keys.uid("instance", s) for s in silent
        }
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in named}
    database.close()
    assert set(sides) == patients


# --- the whole story -------------------------------------------------------------------------------


def test_an_adopted_model_is_unlearned_and_its_retrain_is_proven(adopted: Path, hospital: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(adopted, tmp_path / "workspace"))
    withdraw(workspace, hospital)
    planned = say("plan", workspace / "policies" / "served.yaml", workspace=workspace)
    assert planned.code == 0, planned.err
    assert "declared by its adopter, not proven" in planned.out
    said = say("run", workspace / "policies" / "served.yaml", workspace=workspace)
    assert said.code == 0, said.out + said.err
    require_proven(workspace)
    assert say("registry", "promote", NAME, workspace=workspace).code == 0
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    exposed = say("audit", "exposure", withdrawn_case(workspace), "--json", workspace=workspace).document
    answers = {row["version"]: row["answer"] for row in exposed["versions"] if row["model"] == NAME}
    assert answers == {1: "yes", 2: "no"}


def test_a_model_with_arrays_of_its_own_goes_the_same_way(
    fresh: Path, export: Export, hospital: Path, tmp_path: Path
) -> None:
    refused(*export.words("--tolerance", "1e-9", arrays=True), workspace=fresh, says="differ", remedy="8 bits")
    before = sum(1 for _ in (fresh / "arrays").rglob("*.npy"))
    said = say(*export.words("--tolerance", "0.02", arrays=True), workspace=fresh)
    assert said.code == 0, said.err
    assert "laid over 8 bits" in said.err
    assert sum(1 for _ in (fresh / "arrays").rglob("*.npy")) > before
    withdraw(fresh, hospital)
    (fresh / "policies" / "served.yaml").write_text(POLICY, encoding="utf-8")
    said = say("run", fresh / "policies" / "served.yaml", workspace=fresh)
    assert said.code == 0, said.out + said.err
    require_proven(fresh)
    assert say("registry", "promote", NAME, workspace=fresh).code == 0


def test_arrays_by_a_table_of_files(trained: Path, export: Export, tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    folder.mkdir()
    lines = ["SOPInstanceUID,file"]
    for place, path in enumerate(sorted((export.folder / "arrays").glob("*.npy"))[:20]):
        np.save(folder / f"a{place}.npy", np.load(path)[:, :5])
        lines.append(f"{path.stem},a{place}.npy")
    (folder / "index.csv").write_text("\n".join(lines), encoding="utf-8")
    words = export.words("--arrays", folder, "--allow-absent", arrays=True)
    refused(*words, workspace=trained, says="cannot take an input of shape (3, 5, 32)", audit=None)


def test_no_identifier_of_the_tables_is_kept(adopted: Path, export: Export) -> None:
    with (export.folder / "members.csv").open(encoding="utf-8") as stream:
        uids = [row["SOPInstanceUID"].encode() for row in csv.DictReader(stream)][::50]
    for path in adopted.rglob("*"):
        if path.is_file() and path.suffix != ".npy":
            data = path.read_bytes()
            assert not any(uid in data for uid in uids), path.name


# --- kill -9 ---------------------------------------------------------------------------------------

KILLS = (
    "weights fitted, not registered",
    "files without entry",
    "sides declared, not committed",
    "recorded, no alias",
    "adopted, not cleared",
)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    with killing.nursery(tmp_path_factory.mktemp("said"), "maintain_pipelines.adopting.adopt") as found:
        yield found


@pytest.mark.parametrize("point", KILLS)
def test_a_killed_adoption_is_mended_by_the_next_call(
    fresh: Path, export: Export, nursery: killing.Nursery, point: str
) -> None:
    words = export.words(without="--expect")
    killed = nursery.run(*words, workspace=fresh, point=point)
    assert killed.code == -9, killed.said
    again: Said = say(*words, workspace=fresh)
    recorded = KILLS.index(point) >= KILLS.index("recorded, no alias")
    assert again.code == (2 if recorded else 0), again.err
    listed = say("registry", "list", "--json", workspace=fresh).document["versions"]
    assert [(row["version"], row["aliases"]) for row in listed if row["model"] == NAME] == [(1, ["champion"])]
    assert len(installed(fresh)) == 1
    assert say("audit", "verify", "--require-anchor", workspace=fresh).code == 0
    assert not (fresh / "trainings" / f"adopt-{NAME}").exists()
    assert say("doctor", workspace=fresh).code == 0


# --- private ---------------------------------------------------------------------------------------


def installed(workspace: Path) -> list[dict[str, Any]]:
    """The bodies of the entries that installed the model."""
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        entries = Ledger.entries(Ledger.__new__(Ledger), unit)
    database.close()
    return [dict(one.body) for one in entries if (one.event.value, one.subject) == ("model-installed", NAME)]


def withdraw(workspace: Path, hospital: Path) -> None:
    said = say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace)
    assert said.code == 0, said.err


def require_proven(workspace: Path) -> None:
    shown = say("registry", "show", NAME, "2", "--json", workspace=workspace)
    assert shown.code == 0, shown.err
    assert "retrain" in shown.out
    assert '"proven"' in shown.out


def withdrawn_case(workspace: Path) -> str:
    """A case of a person who took it back, and that the adopted model learned."""
    from maintain_pipelines.champions import read_version
    from maintain_registry import FolderStore

    learned = {ref.case_id for ref in read_version(FolderStore(workspace / "registry"), NAME, 1).manifest.learned}
    kept = {ref.case_id for ref in read_version(FolderStore(workspace / "registry"), NAME, 2).manifest.learned}
    return sorted(learned - kept)[0]
