"""`maintain cohort score`: refused first, said twice, held against policies, and who is never looked at."""

from __future__ import annotations

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
