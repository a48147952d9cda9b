"""`maintain cohort score`: refused first, said twice, held against policies, and who is never looked at."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.workspaces import new_workspace

SMALL = ("--patients", 60, "--seed", 5)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    practice = tmp_path_factory.mktemp("score") / "practice"
    assert say("cohort", "sample", practice, *SMALL).code == 0
    place = new_workspace(tmp_path_factory.mktemp("score") / "workspace")
    for name, kind in (("dicom", "dicom"), ("labels.csv", "labels"), ("anatomy.csv", "labels")):
        assert say("cohort", "ingest", practice / name, "--kind", kind, workspace=place).code == 0
    return place


def test_an_empty_cohort_has_nothing_to_score(tmp_path: Path) -> None:
    empty = new_workspace(tmp_path / "workspace")
    for kind in ("outlier", "quality"):
        said = say("cohort", "score", "--kind", kind, workspace=empty)
        assert said.code == 5
        assert "no image that may be scored" in said.err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--kind", "beauty"), "beauty"),
        (("--method", "magic"), "magic"),
        (("--label", "diagnosys"), "diagnosis"),
        (("--kind", "quality", "--label", "diagnosis"), "--label and --model are for outliers"),
        (("--kind", "quality", "--method", "knn"), "--method"),
        (("--kind", "quality", "--model", "fundus-triage"), "--model are for outliers"),
        (("--model", "fundus-triage"), "no model called 'fundus-triage'"),
        (("--sheet", "nowhere/sheet.html"), "no such folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(
    workspace: Path, asked: tuple[str, ...], said: str
) -> None:
    before = say("cohort", "show", _first(workspace), "--json", workspace=workspace).document
    refused = say("cohort", "score", *asked, workspace=workspace)
    assert refused.code == 2
    assert said in refused.err
    assert say("cohort", "show", _first(workspace), "--json", workspace=workspace).document == before


def test_said_again_it_replaces_and_says_the_same(workspace: Path) -> None:
    first = say("cohort", "score", "--label", "diagnosis", "--json", workspace=workspace)
    again = say("cohort", "score", "--label", "diagnosis", "--json", workspace=workspace)
    assert (first.code, first.out) == (0, again.out)
    document = first.document
    assert document["method"] == "mahalanobis by device and label.diagnosis"
    assert sum(document["histogram"]["counts"]) == document["cases"]
    case = say("cohort", "show", _first(workspace), "--json", workspace=workspace).document
    assert [score["name"] for score in case["scores"]].count("outlier") == 1
    other = say("cohort", "score", "--method", "knn", "--json", workspace=workspace).document
    assert other["method"] == "knn by device"
    shown = say("cohort", "show", _first(workspace), workspace=workspace)
    assert "by knn by device (version 1)" in shown.out
    assert "mahalanobis" not in shown.out


def test_every_replacement_is_in_the_ledger_and_a_repetition_is_not(workspace: Path) -> None:
    say("cohort", "score", "--kind", "quality", workspace=workspace)
    before = say("audit", "verify", "--json", workspace=workspace).document["entries"]
    say("cohort", "score", "--kind", "quality", workspace=workspace)
    assert say("audit", "verify", "--json", workspace=workspace).document["entries"] == before
    for method in ("mahalanobis", "knn"):
        say("cohort", "score", "--method", method, "--label", "diagnosis", workspace=workspace)
    assert say("audit", "verify", "--json", workspace=workspace).document["entries"] == before + 2


def test_the_sheet_is_told_to_people_and_programs_and_never_written_twice(workspace: Path, tmp_path: Path) -> None:
    said = say("cohort", "score", "--sheet", tmp_path / "odd.html", workspace=workspace)
    assert said.code == 0, said.err
    assert f"{tmp_path / 'odd.html'} holds pictures of patients" in said.out
    assert (tmp_path / "odd.html").stat().st_mode & 0o077 == 0
    again = say("cohort", "score", "--sheet", tmp_path / "odd.html", workspace=workspace)
    assert (again.code, again.out) == (2, "")
    asked = ("--kind", "quality", "--sheet", tmp_path / "poor.html", "--json")
    document = say("cohort", "score", *asked, workspace=workspace).document
    assert document["sheet"]["file"] == str(tmp_path / "poor.html")
    assert "pictures of patients" in document["sheet"]["holds"]
    assert say("cohort", "score", "--json", workspace=workspace).document["sheet"] is None


def test_a_model_is_named_with_its_version_and_weights(workspace: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(workspace, tmp_path / "workspace"))
    for words in (
        ("cohort", "split", "fundus-triage"),
        ("cohort", "snapshot", "first", "--model", "fundus-triage"),
        ("model", "train", "fundus-triage", "--snapshot", "first", "--epochs", 1),
    ):
        assert say(*words, workspace=place).code == 0
    first = say("cohort", "score", "--model", "fundus-triage", "--json", workspace=place)
    record = json.loads((place / "registry" / "fundus-triage" / "v0001" / "version.json").read_bytes())
    weights = record["body"]["weights"]
    told = f"components of fundus-triage version 1 (weights {weights[:12]})"
    assert re.fullmatch(rf"knn by device on \d+ {re.escape(told)}", first.document["method"])
    assert say("cohort", "score", "--model", "fundus-triage:1", "--json", workspace=place).out == first.out
    shown = say("cohort", "show", _first(place), workspace=place)
    assert told in shown.out
    other = ("--model", "fundus-triage", "--method", "mahalanobis", "--label", "diagnosis", "--json")
    document = say("cohort", "score", *other, workspace=place).document
    assert document["method"].startswith("mahalanobis by device and label.diagnosis on ")
    assert document["method"].endswith(told)


def test_a_person_reads_a_histogram_with_the_cut_and_what_to_write(workspace: Path) -> None:
    said = say("cohort", "score", "--label", "diagnosis", workspace=workspace)
    assert said.code == 0
    assert "- - - the proposed cut, 3.5 - - -" in said.out
    assert "In a policy: score.outlier: {gt: 3.5}" in said.out
    quality = say("cohort", "score", "--kind", "quality", workspace=workspace)
    assert "In a policy: score.quality: {lt: -3.5}" in quality.out


def test_a_selection_can_ask_for_it(workspace: Path) -> None:
    scored = say("cohort", "score", "--json", workspace=workspace).document
    barred = ("--reason", "outlier", "--model", "fundus-triage", "--json")
    say("cohort", "split", "fundus-triage", workspace=workspace)
    done = say("cohort", "suppress", "--where", "{score.outlier: {gt: 3.5}}", *barred, workspace=workspace)
    assert done.code == 0, done.err
    assert done.document["cases"] == scored["beyond"]
    nobody = say("cohort", "suppress", "--where", "{score.quality.x: {gt: 3.5}}", *barred, workspace=workspace)
    assert nobody.code == 2
    assert "score.quality.x, which was computed of no case. Computed: score." in nobody.err


def test_whoever_withdrew_is_not_looked_at_and_keeps_no_score(workspace: Path) -> None:
    case = _first(workspace)
    say("cohort", "score", "--kind", "quality", workspace=workspace)
    gone = say("cohort", "suppress", case, "--reason", "data-subject", workspace=workspace)
    assert gone.code == 0, gone.err
    again = say("cohort", "score", "--kind", "quality", "--json", workspace=workspace).document
    assert again["passed_over"] >= 1
    shown = say("cohort", "show", case, "--json", workspace=workspace).document
    assert "quality" not in [score["name"] for score in shown["scores"]]


def _first(workspace: Path) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(workspace / "maintain.db")) as raw:
        return str(raw.execute("select min(case_id) from image_case").fetchone()[0])
