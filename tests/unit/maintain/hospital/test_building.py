from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from maintain.errors import InputError
from maintain.hospital import HospitalFolder, HospitalOptions, build_hospital, draw_hospital

SMALL = HospitalOptions(patients=12, withdrawals=3, duplicates=4)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> HospitalFolder:
    return build_hospital(tmp_path_factory.mktemp("hospital"), SMALL)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def truth_of(hospital: HospitalFolder) -> list[dict[str, object]]:
    return [json.loads(line) for line in hospital.truth.read_text().splitlines()[1:]]


def test_a_folder_with_something_in_it_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        build_hospital(tmp_path, SMALL)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "hospital"
    taken.write_text("a file")
    with pytest.raises(InputError):
        build_hospital(taken, SMALL)


def test_equal_options_write_equal_bytes(built: HospitalFolder, tmp_path: Path) -> None:
    again = build_hospital(tmp_path / "deeper" / "again", SMALL)

    def contents(hospital: HospitalFolder) -> dict[str, bytes]:
        files = (path for path in hospital.root.rglob("*") if path.is_file())
        return {path.relative_to(hospital.root).as_posix(): path.read_bytes() for path in files}

    assert contents(again) == contents(built)


def test_another_seed_writes_other_identities_and_pixels(built: HospitalFolder, tmp_path: Path) -> None:
    other = build_hospital(tmp_path / "other", dataclasses.replace(SMALL, seed=8))
    mine, theirs = truth_of(built), truth_of(other)
    assert not {row["sop_uid"] for row in mine} & {row["sop_uid"] for row in theirs}


def test_files_hold_the_pixels_that_are_drawn_in_memory(built: HospitalFolder) -> None:
    pixels, truth = draw_hospital(SMALL)
    assert len(pixels) == len(truth) == built.images
    for image, row in zip(pixels, truth, strict=True):
        assert np.array_equal(dcmread(built.root / row.path).pixel_array, image)


def test_every_file_is_in_the_truth_and_the_counts_are_those_of_the_headers(built: HospitalFolder) -> None:
    files = {path.relative_to(built.root).as_posix() for path in built.dicom.rglob("*") if path.is_file()}
    truth = truth_of(built)
    assert files == {row["path"] for row in truth}
    assert built.images == len(files)
    assert built.patients == len({row["patient_id"] for row in truth})
    assert {Path(name).suffix for name in files} == {"", ".dcm"}


def test_labels_are_the_recorded_diagnoses(built: HospitalFolder) -> None:
    header, *labels = rows_of(built.labels)
    assert header == ["SOPInstanceUID", "diagnosis"]
    assert labels == [[row["sop_uid"], row["recorded_diagnosis"]] for row in truth_of(built)]


def test_the_grading_of_the_anatomy_is_the_truth(built: HospitalFolder) -> None:
    header, *grades = rows_of(built.anatomy)
    assert header == ["SOPInstanceUID", "anatomy"]
    assert {uid for uid, grade in grades if grade == "variant"} == {
        row["sop_uid"] for row in truth_of(built) if row["variant"]
    }


def test_withdrawals_are_the_patients_that_withdraw(built: HospitalFolder) -> None:
    header, *withdrawals = rows_of(built.withdrawals)
    assert header == ["PatientID", "IssuerOfPatientID", "status", "date"]
    assert len(withdrawals) == SMALL.withdrawals
    assert {row[2] for row in withdrawals} == {"withdrawn"}
    assert {row[1] for row in withdrawals} == {"SYNTHETIC-HOSPITAL"}
    truth = truth_of(built)
    assert {row[0] for row in withdrawals} == {row["patient_id"] for row in truth if row["withdraws"]}
    assert withdrawals == sorted(withdrawals, key=lambda row: row[3])
    assert min(row[3] for row in withdrawals) > max(str(row["study_date"]) for row in truth)


def test_the_truth_names_its_schema_and_options(built: HospitalFolder) -> None:
    head = json.loads(built.truth.read_text().splitlines()[0])
    assert (head["schema"], head["version"]) == ("maintain.hospital-truth", 1)
    assert HospitalOptions(**head["options"]) == SMALL
    assert head["rows"] == built.images


def test_progress_ends_with_everything_done(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    hospital = build_hospital(tmp_path / "hospital", SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (hospital.images, hospital.images)
    assert seen == sorted(seen)
