from __future__ import annotations

from dataclasses import replace

import numpy as np

from maintain.hospital import HospitalOptions, draw_hospital
from maintain.hospital.cameras import AURORA, CIRRUS, RETIVUE, Camera
from maintain.hospital.drawing import paint_shot
from maintain.hospital.painting import paint
from maintain.hospital.population import draw_population

OPTIONS = HospitalOptions(patients=12, withdrawals=0, duplicates=0)
SHOTS, _ = draw_population(OPTIONS)
SCENE = SHOTS[0].scene


def test_without_a_camera_shift_all_cameras_see_the_same() -> None:
    pictures = [paint(SCENE, camera, side=32, shift=0.0) for camera in (CIRRUS, RETIVUE, AURORA)]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_the_withdrawn_camera_departs_furthest_from_the_plain_scene() -> None:
    def departure(camera: Camera) -> float:
        seen, plain = (
            np.mean([paint(shot.scene, camera, side=32, shift=shift).mean(axis=(0, 1)) for shot in SHOTS], axis=0)
            for shift in (1.0, 0.0)
        )
        return float(np.abs(seen - plain).sum())

    assert departure(CIRRUS) > 1.2 * max(departure(RETIVUE), departure(AURORA))


def test_the_field_is_round_and_black_outside() -> None:
    picture = paint_shot(SHOTS[0], OPTIONS)
    assert not picture[0, 0].any()
    assert not picture[-1, -1].any()
    assert picture[16, 16].all()


def test_pictures_have_the_side_that_was_asked_for() -> None:
    pixels, _ = draw_hospital(HospitalOptions(patients=2, withdrawals=0, duplicates=0, side=48))
    assert pixels.shape[1:] == (48, 48, 3)
    assert pixels.dtype == np.uint8


def test_easy_hospitals_have_plainer_lesions_and_no_distractors() -> None:
    easy, _ = draw_population(HospitalOptions(patients=12, withdrawals=0, duplicates=0, difficulty=0.0))
    assert all(shot.truth.lesions == 1 for shot in easy)
    assert min(shot.truth.lesion_amplitude for shot in easy) > np.mean([shot.truth.lesion_amplitude for shot in SHOTS])


def test_variants_are_striped() -> None:
    plain, striped = (replace(SCENE, anatomy=replace(SCENE.anatomy, variant=variant)) for variant in (False, True))
    stripes = paint(striped, RETIVUE, side=32, shift=1.0) - paint(plain, RETIVUE, side=32, shift=1.0).astype(int)
    middle = stripes[8:24, 8:24].astype(float)
    assert middle.std() > 4.0
    assert abs(middle.mean()) < 4.0
