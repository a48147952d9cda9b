"""`maintain demo` whole, over the store that a new workspace is given: the chain, the impostor, and saying it again."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import maintain_policies
from helpers.commands import Said, say
from maintain.cli.catalogues import catalogues
from maintain.cli.demo import ORDER_FILE
from maintain.cohort import CohortStore, matching_ids, score_states
from maintain.database import open_database
from maintain.predicate import Compare, Operator
from maintain.settings import MLFLOW, find_workspace
from maintain_pipelines.demo import MODEL, STORIES
from maintain_policies import Catalogues, Policy, load_policy
from maintain_registry import MlflowStore, open_store

#: A few passes over the tests' hospital prove nothing about behaviour, which is no matter here.
SHORT = ("--seed", "3", "--epochs", "1")

#: The widest margin that a policy may ask for.
WIDE = 0.5

#: Of every patient and picture of the hospital, the texts that name them outside.
NAMING = ("patient_id", "sop_uid", "study_uid", "series_uid")

#: What the hospital's own table says of the anatomy; no story reads it.
VARIANT = Compare("label.anatomy", Operator.EQ, "variant")

#: How each of them begins, and nothing else does.
BEGINNINGS = ("SYN-", "1.2.826.0.1.3680043.8.498.")


@pytest.fixture(scope="module")
def played(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """The folder of a demo that was played to its end, and what it answered."""
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    folder = tmp_path_factory.mktemp("demo")
    (folder / "hospital").symlink_to(hospital)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maintain_policies, "load_policy", _lenient)
        said = say("demo", folder, *SHORT, "--json")
    assert said.code in (0, 1, 3), said.err
    return folder, said


def _lenient(path: Path, known: Catalogues) -> Policy:
    """The policy with a retention that so small a hospital can show: every story that is retrained registers."""
    wide = f"margin: {WIDE}, lineage_margin: {WIDE}, by_margin: {WIDE}"
    text = path.read_text(encoding="utf-8").replace("gates: default", f"gates: [default, {{retention: {{{wide}}}}}]")
    path.write_text(text.replace("retention: {by:", f"retention: {{{wide}, by:"), encoding="utf-8")
    return load_policy(path, known)


def test_a_folder_that_is_no_whole_hospital_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hospital").mkdir()
    said = say("demo", tmp_path, *SHORT)
    assert said.code == 2
    assert "not a whole synthetic hospital" in said.err


def test_a_folder_that_cannot_be_made_is_wrong_input_and_no_error_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "demo"):
        said = say("demo", place, *SHORT)
        assert said.code == 2
        assert "cannot be filled" in said.err


def test_a_store_that_there_is_not_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    said = say("demo", tmp_path / "demo", *SHORT, "--registry", "cupboard")
    assert said.code == 2
    assert "Choose one of: folder, mlflow." in said.err
    assert not (tmp_path / "demo").exists()


def test_a_demo_that_was_begun_otherwise_is_not_shown_for_the_one_asked_for(tmp_path: Path) -> None:
    (tmp_path / "hospital").mkdir()
    kept = tmp_path / ORDER_FILE
    kept.write_text('{"begun_with": "--patients 60 --epochs 1 --seed 4"}\n', encoding="utf-8")
    said = say("demo", tmp_path, "--patients", 60, *SHORT)
    assert said.code == 2
    assert "was begun with --patients 60 --epochs 1 --seed 4, not with" in said.err
    assert "not a whole synthetic hospital" in say("demo", tmp_path, "--patients", 60, "--epochs", 1, "--seed", 4).err


def test_the_impostor_registers_nothing_and_leaves_no_weights(played: tuple[Path, Said]) -> None:
    story = _story(played[1], "e")
    assert story["version"] is None
    assert story["state"] == "abandoned"
    folder = Path(story["report"]).parent
    assert not (folder / "04-registration.json").exists()
    verdict = json.loads((folder / "03-verdict.json").read_text())["body"]
    assert verdict["outcome"] != "pass"
    integrity = next(gate for gate in verdict["gates"] if gate["gate"] == "integrity")
    assert integrity["outcome"] == "pass", "it must fail by what it remembers, not by a careless forgery"


def test_every_story_ends_and_each_starts_from_what_serves(played: tuple[Path, Said]) -> None:
    said = played[1]
    assert [story["story"] for story in said.document["stories"]] == [story.letter for story in STORIES]
    ends = {story["state"] for story in said.document["stories"]}
    assert ends <= {"registered", "rejected", "undecided", "abandoned"}
    versions = [story["version"] for story in said.document["stories"] if story["version"]]
    store = _store(played[0])
    assert versions == list(range(2, 2 + len(versions)))
    parents = [store.get(MODEL, number).record.parent for number in versions]
    assert parents == [1, *versions[:-1]][: len(versions)]


def test_the_anatomy_is_selected_by_scores_and_the_impostor_is_offered_for_the_same(
    played: tuple[Path, Said],
) -> None:
    workspace = played[0] / "workspace"
    policy = load_policy(workspace / "policies" / "variant-anatomy.yaml", catalogues())
    with closing(open_database(workspace / "maintain.db")) as database, database.read() as unit:
        (score,) = score_states(unit)
        cases = CohortStore(unit).cases()
        far, marked = (matching_ids(unit, where) for where in (policy.where, VARIANT))
    assert (score.name, score.method, score.cases) == (
        "outlier",
        "mahalanobis by device and label.diagnosis",
        len(cases),
    )
    assert len(far & marked) > len(far) / 2, "most that lie beyond the cut were marked"
    patients = {case.case_id: case.patient for case in cases}
    offered, forgotten = (_forgotten(_story(played[1], letter)) for letter in ("e", "b"))
    assert forgotten
    assert offered == forgotten
    assert {patients[case] for case in forgotten} <= {patients[case] for case in far}


def test_what_was_withdrawn_first_is_in_no_later_manifest(played: tuple[Path, Said]) -> None:
    from maintain import codec
    from maintain.records import TrainingManifest
    from maintain_pipelines.champions import MANIFEST_FILE

    store = _store(played[0])
    camera, consent = _story(played[1], "a"), _story(played[1], "c")
    assert camera["version"] == 2
    assert consent["version"] > 2
    gone = _forgotten(camera)
    assert gone
    for version in store.versions(MODEL)[1:]:
        manifest = codec.from_text(TrainingManifest, store.get(MODEL, version).read(MANIFEST_FILE).decode())
        assert not gone & {ref.case_id for ref in (*manifest.learned, *manifest.unlearned)}


def test_nothing_that_names_a_patient_is_in_the_workspace_its_reports_or_what_was_said(
    played: tuple[Path, Said],
) -> None:
    folder, said = played
    rows = [json.loads(line) for line in (folder / "hospital" / "truth.jsonl").read_text().splitlines()[1:]]
    names = {str(row[key]) for row in rows for key in NAMING}
    assert len(names) > 1000
    assert all(name.startswith(BEGINNINGS) for name in names), "the search below would not find every name"
    shapes = [shape for start in BEGINNINGS for shape in (start.encode(), start.encode("utf-16-le"))]
    needles = re.compile(b"|".join(map(re.escape, [*shapes, *(shape.hex().encode() for shape in shapes)])))
    places = [path for path in (folder / "workspace").rglob("*") if path.is_file()]
    assert any(path.name == "mlflow.db" for path in places)
    assert [str(path) for path in places if needles.search(path.read_bytes())] == []
    assert not needles.search((said.out + said.err).encode())


def test_said_again_it_shows_the_end_and_makes_nothing(played: tuple[Path, Said]) -> None:
    folder, first = played
    again = say("demo", folder, *SHORT, "--json")
    assert again.code == first.code
    assert again.document["stories"] == first.document["stories"]
    assert again.document["ledger_entries"] == first.document["ledger_entries"]


def test_people_see_a_table_and_where_the_reports_are(played: tuple[Path, Said]) -> None:
    folder, first = played
    assert find_workspace(folder / "workspace").settings.registry.store == MLFLOW
    assert first.document["browsing"].endswith(f"sqlite:///{folder}/workspace/registry/mlflow.db")
    said = say("demo", folder, *SHORT)
    assert f"Or in MLflow's own pages: {first.document['browsing']}" in said.out
    assert all(story.title in said.out for story in STORIES)
    assert said.out.splitlines()[-1].startswith("Reports: ")


# --- private ---------------------------------------------------------------------------------------


def _story(said: Said, letter: str) -> dict[str, Any]:
    (story,) = [story for story in said.document["stories"] if story["story"] == letter]
    return dict(story)


def _forgotten(story: dict[str, Any]) -> set[str]:
    (roles,) = Path(story["report"]).parent.glob("roles-*.jsonl")
    rows = map(json.loads, roles.read_text().splitlines())
    return {row["case_id"] for row in rows if row.get("role") == "forget"}


def _store(folder: Path) -> MlflowStore:
    store = open_store(find_workspace(folder / "workspace"))
    assert isinstance(store, MlflowStore)
    return store
