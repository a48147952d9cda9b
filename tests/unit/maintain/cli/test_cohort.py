"""`maintain cohort`: what is said where nothing came of it, and a hospital to practise on that an intake reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.commands import say
from helpers.workspaces import new_workspace

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
