"""Quality: black, blurred, dark and cropped pictures against sharp ones of their device."""

from __future__ import annotations

import numpy as np
import pytest

from maintain.errors import NotEvaluatedError
from maintain.scoring import POOR, picture_quality, quality_scores
from maintain.scoring.usual import SMALLEST_STRATUM


def disc(seed: int, *, light: float = 0.5, radius: float = 0.47, grain: float = 0.05) -> np.ndarray:
    rows, columns = (np.mgrid[:48, :48] - 23.5) / 48
    picture = light * (1.0 + np.random.default_rng(seed).normal(0.0, grain, size=(48, 48)))
    return np.where(np.hypot(rows, columns) < radius, picture, 0.0)


def blurred(picture: np.ndarray) -> np.ndarray:
    around = np.roll(picture, 1, 0) + np.roll(picture, 1, 1) + np.roll(picture, -1, 0) + np.roll(picture, -1, 1)
    return np.asarray(around / 4.0)


def test_too_few_pictures_say_nothing_of_what_is_usual() -> None:
    few = [picture_quality(disc(seed)) for seed in range(SMALLEST_STRATUM - 1)]
    with pytest.raises(NotEvaluatedError, match="too few"):
        quality_scores(few, ["a"] * len(few))


def test_a_black_picture_has_no_field_and_a_flat_one_no_edge() -> None:
    assert picture_quality(np.zeros((8, 8))).field == 0.0
    flat = picture_quality(np.full((8, 8), 0.5))
    assert (flat.field, flat.exposure) == (1.0, 0.5)
    assert flat.sharpness == picture_quality(np.zeros((8, 8))).sharpness
    assert picture_quality(np.full((1, 1), 0.5)).sharpness == flat.sharpness


def test_sharpness_is_the_variance_of_the_laplacian_pixel_by_pixel() -> None:
    picture = 0.5 + np.random.default_rng(2).uniform(0.0, 0.2, size=(9, 7))
    found = [
        picture[r - 1, c] + picture[r + 1, c] + picture[r, c - 1] + picture[r, c + 1] - 4.0 * picture[r, c]
        for r in range(1, 8)
        for c in range(1, 6)
    ]
    expected = np.log10(np.var(found) / picture.mean() ** 2)
    assert picture_quality(picture).sharpness == pytest.approx(expected, abs=1e-12)


def test_brightness_alone_does_not_change_sharpness() -> None:
    dark, light = picture_quality(0.4 * disc(1)), picture_quality(disc(1))
    assert dark.sharpness == pytest.approx(light.sharpness, abs=1e-9)
    assert dark.field == light.field


@pytest.mark.parametrize(
    "poor", [blurred(disc(99)), disc(99, light=0.2), disc(99, light=0.9), disc(99, radius=0.3), np.zeros((48, 48))]
)
def test_a_poor_picture_is_far_below_the_usual_and_no_usual_one_is(poor: np.ndarray) -> None:
    usual = [picture_quality(disc(seed)) for seed in range(60)]
    scores = quality_scores([*usual, picture_quality(poor)], ["a"] * 61)
    assert scores[-1] < POOR
    assert (scores[:-1] > POOR).all()
