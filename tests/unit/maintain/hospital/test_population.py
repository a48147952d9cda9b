from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from maintain.hospital import HospitalOptions, TruthRow, draw_hospital
from maintain.hospital.cameras import CAMERAS
from maintain.hospital.population import Shot, draw_population
from maintain.hospital.scenes import DIAGNOSES
from maintain.vocabulary import Eye

LARGE = HospitalOptions(patients=600)
SHOTS, _ = draw_population(LARGE)
ROWS = [shot.truth for shot in SHOTS]
ORIGINALS = [row for row in ROWS if row.duplicate_of is None]


def by_patient(rows: list[TruthRow]) -> dict[str, list[TruthRow]]:
    grouped: dict[str, list[TruthRow]] = defaultdict(list)
    for row in rows:
        grouped[row.patient_id].append(row)
    return grouped


def test_sop_uids_and_paths_are_unique() -> None:
    assert len({row.sop_uid for row in ROWS}) == len({row.path for row in ROWS}) == len(ROWS)
    assert all(len(row.sop_uid) <= 64 for row in ROWS)


def test_patients_have_two_to_six_images_four_on_average() -> None:
    counts = [len(rows) for rows in by_patient(ORIGINALS).values()]
    assert (min(counts), max(counts)) == (2, 6)
    assert np.mean(counts) == pytest.approx(4.0, abs=0.2)


def test_both_eyes_are_photographed_and_visits_repeat_on_later_days() -> None:
    for rows in by_patient(ORIGINALS).values():
        assert {row.eye for row in rows} == {Eye.RIGHT, Eye.LEFT}
        days = {row.study_uid: row.study_date for row in rows}
        assert len(set(days.values())) == len(days)
        assert list(days.values()) == sorted(days.values())
    visits = [len({row.study_uid for row in rows}) for rows in by_patient(ORIGINALS).values()]
    assert {1, 2, 3} == set(visits)


def test_what_belongs_to_a_patient_is_the_same_in_all_images() -> None:
    for rows in by_patient(ORIGINALS).values():
        assert len({(row.sex, row.birth_date, row.camera, row.variant, row.true_diagnosis) for row in rows}) == 1


def test_shares_are_those_of_the_options_and_the_cameras() -> None:
    firsts = [rows[0] for rows in by_patient(ORIGINALS).values()]
    assert np.mean([row.variant for row in firsts]) == pytest.approx(LARGE.variant_share, abs=0.05)
    for camera in CAMERAS:
        assert np.mean([row.camera == camera.model for row in firsts]) == pytest.approx(camera.share, abs=0.06)
    for diagnosis in DIAGNOSES:
        assert np.mean([row.true_diagnosis == diagnosis for row in firsts]) == pytest.approx(1 / 3, abs=0.06)


def test_the_withdrawn_camera_has_the_share_that_is_asked_for_and_the_others_what_is_left() -> None:
    shots, _ = draw_population(HospitalOptions(patients=600, withdrawn_share=0.1))
    firsts = [rows[0] for rows in by_patient([shot.truth for shot in shots]).values()]
    found = [np.mean([row.camera == camera.model for row in firsts]) for camera in CAMERAS]
    assert found == pytest.approx([0.1, 0.45, 0.45], abs=0.05)


def test_label_noise_has_the_rate_of_both_options_together() -> None:
    wrong = np.mean([row.recorded_diagnosis != row.true_diagnosis for row in ORIGINALS])
    patient, image = LARGE.patient_label_noise, LARGE.image_label_noise
    # An image's mistake takes half of the patients' mistakes back to the truth.
    expected = patient * (1 - image / 2) + (1 - patient) * image
    assert wrong == pytest.approx(expected, abs=0.025)


def test_without_label_noise_every_label_is_true() -> None:
    shots, _ = draw_population(HospitalOptions(patients=40, patient_label_noise=0.0, image_label_noise=0.0))
    assert all(shot.truth.recorded_diagnosis == shot.truth.true_diagnosis for shot in shots)


def test_duplicates_are_equal_pixels_under_other_uids_and_half_under_another_patient_id() -> None:
    options = HospitalOptions(patients=12, withdrawals=2, duplicates=6)
    pixels, rows = draw_hospital(options)
    place = {row.sop_uid: index for index, row in enumerate(rows)}
    copies = [row for row in rows if row.duplicate_of is not None]
    assert len(copies) == 6
    for copy in copies:
        original = rows[place[copy.duplicate_of or ""]]
        assert np.array_equal(pixels[place[copy.sop_uid]], pixels[place[original.sop_uid]])
        assert copy.study_uid != original.study_uid
        assert copy.person_id == original.patient_id
        assert copy.recorded_diagnosis == original.recorded_diagnosis
    assert sum(copy.patient_id != copy.person_id for copy in copies) == 3


def test_without_duplicates_no_two_images_are_equal() -> None:
    pixels, _ = draw_hospital(HospitalOptions(patients=12, withdrawals=0, duplicates=0))
    assert len({image.tobytes() for image in pixels}) == len(pixels)


def test_no_withdrawals_and_no_duplicates_are_possible() -> None:
    shots, withdrawals = draw_population(HospitalOptions(patients=5, withdrawals=0, duplicates=0))
    assert withdrawals == ()
    assert not any(shot.truth.withdraws or shot.truth.duplicate_of for shot in shots)


def test_a_larger_hospital_starts_with_the_patients_of_a_smaller_one() -> None:
    def first(patients: int) -> list[Shot]:
        shots, _ = draw_population(HospitalOptions(patients=patients, withdrawals=0, duplicates=0))
        return [shot for shot in shots if shot.truth.patient_id <= "SYN-000004"]

    assert first(5) == first(9)
