"""`maintain cohort`: what is said where nothing came of it, and a hospital to practise on that an intake reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import say
from helpers.dicom_files import instance_uid, write_dicom
from helpers.workspaces import new_workspace
from maintain.intake import load_pseudonyms

SMALL = ("--patients", 60, "--seed", 5)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "patients.csv"
    kept.write_text("a list of somebody's\n", encoding="utf-8")
    said = say("cohort", "sample", tmp_path, *SMALL)
    assert said.code == 2
    assert "not empty" in said.err
    assert list(tmp_path.iterdir()) == [kept]


def test_a_folder_that_cannot_be_made_is_wrong_input_and_no_error_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = say("cohort", "sample", tmp_path / "file" / "practice", *SMALL)
    assert said.code == 2
    assert "cannot be filled" in said.err


@pytest.mark.parametrize("wrong", [("--patients", 59), ("--difficulty", 2.5), ("--seed", -1)])
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, wrong: tuple[object, ...]) -> None:
    assert say("cohort", "sample", tmp_path / "practice", *wrong).code == 2
    assert not (tmp_path / "practice").exists()


def test_nobody_to_share_out_is_no_success(tmp_path: Path) -> None:
    said = say("cohort", "split", "fundus-triage", workspace=new_workspace(tmp_path / "workspace"))
    assert said.code == 5
    assert "The cohort is empty" in said.err


def test_labels_that_come_before_their_images_are_told_of(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("SOPInstanceUID,diagnosis\n1.2.3,drusen\n", encoding="utf-8")
    workspace = new_workspace(tmp_path / "workspace")
    said = say("cohort", "ingest", table, "--kind", "labels", workspace=workspace)
    assert (said.code, said.out) == (0, "labels: 0 new, 0 changed, 0 unchanged, 1 unknown\n")
    assert "1 labels are of images that are not in the cohort" in said.err


def test_only_labels_have_a_map(tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path / "workspace")
    said = say("cohort", "ingest", tmp_path, "--map", tmp_path / "labels.yaml", workspace=workspace)
    assert said.code == 2
    assert "Only a table of labels has a map" in said.err


def test_what_a_map_leaves_unmatched_is_told(tmp_path: Path) -> None:
    table, mapping = tmp_path / "findings.csv", tmp_path / "labels.yaml"
    table.write_text("UID,Finding\n1.2.3,drusen\n", encoding="utf-8")
    mapping.write_text("join: {instance: UID}\nlabels: {diagnosis: Finding}\n", encoding="utf-8")
    workspace = new_workspace(tmp_path / "workspace")
    said = say("cohort", "ingest", table, "--kind", "labels", "--map", mapping, workspace=workspace)
    assert said.code == 0
    counted = "labels: 0 new, 0 changed, 0 unchanged, 1 rows-without-image, 0 images-without-row"
    assert said.out == f"{counted}\n  rows that match no image: line 2\n"
    assert "No row found its image" in said.err


def test_tables_are_told_of_one_by_one(tmp_path: Path) -> None:
    workspace, mapping = new_workspace(tmp_path / "w"), tmp_path / "labels.yaml"
    mapping.write_text("join: {instance: UID}\nlabels: {diagnosis: Finding}\n", encoding="utf-8")
    write_dicom(tmp_path / "in" / "a", 1)
    assert say("cohort", "ingest", tmp_path / "in", workspace=workspace).code == 0
    tables = [tmp_path / "one.csv", tmp_path / "two.csv"]
    tables[0].write_text(f"UID,Finding\n{instance_uid(1)},drusen\n1.2.3,drusen\n", encoding="utf-8")
    tables[1].write_text("UID,Finding\n1.2.3,drusen\n", encoding="utf-8")
    said = say("cohort", "ingest", *tables, "--kind", "labels", "--map", mapping, workspace=workspace)
    assert "1 rows match no image, and were not kept.\nNo row found its image" in said.err
    bare = [line.rpartition(", ")[2] for line in said.out.splitlines() if line.startswith("labels")]
    assert bare == ["0 images-without-row", "1 images-without-row"]


def test_a_case_shows_every_answer_that_was_recorded(tmp_path: Path) -> None:
    workspace, table, mapping = new_workspace(tmp_path / "w"), tmp_path / "findings.csv", tmp_path / "labels.yaml"
    mapping.write_text("join: {instance: UID}\nlabels: {diagnosis: Finding}\n", encoding="utf-8")
    write_dicom(tmp_path / "in" / "a", 1)
    assert say("cohort", "ingest", tmp_path / "in", workspace=workspace).code == 0
    marks = []
    for answer in ("drusen", "atrophy"):
        table.write_text(f"UID,Finding\n{instance_uid(1)},{answer}\n", encoding="utf-8")
        words = ("cohort", "ingest", table, "--kind", "labels", "--map", mapping, "--json")
        marks.append(say(*words, workspace=workspace).document["reports"][0]["contents"])
    case = load_pseudonyms(workspace / "keys" / "pseudonym.key").uid("instance", instance_uid(1))
    shown = say("cohort", "show", case, workspace=workspace).out
    assert "label     diagnosis = atrophy (version 2)" in shown
    assert "history   diagnosis = drusen (version 1), recorded " in shown
    assert f"from table {marks[0]} (intake 2)" in shown
    history = say("cohort", "show", case, "--json", workspace=workspace).document["history"]
    assert [(row["value"], row["contents"]) for row in history] == list(zip(("drusen", "atrophy"), marks, strict=True))
    assert all(row["actor"] and row["recorded"] for row in history)


def test_everything_that_it_names_can_be_read_in(tmp_path: Path) -> None:
    practice = tmp_path / "practice"
    drawn = say("cohort", "sample", practice, *SMALL)
    assert drawn.code == 0, drawn.err
    workspace = new_workspace(tmp_path / "workspace")
    rows = [line.split() for line in drawn.out.splitlines() if "maintain cohort ingest" in line]
    assert [name for name, *_ in rows] == ["dicom", "labels.csv", "anatomy.csv", "withdrawals.csv"]
    for name, *words in rows:
        read = say("cohort", "ingest", practice / name, *words[-2:], workspace=workspace)
        assert read.code == 0, read.err
        assert "rejected" not in read.out
    images = say("cohort", "sample", tmp_path / "again", *SMALL, "--json").document["images"]
    assert f"{images} images of" in say("cohort", "status", workspace=workspace).out
