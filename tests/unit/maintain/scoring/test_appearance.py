"""Appearance: what must not move it (brightness, contrast, shading), and what must (a pattern)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maintain.errors import NotEvaluatedError
from maintain.hospital import HospitalOptions, draw_hospital
from maintain.scoring import APPEARANCE, SIDE, appearance, grey, histogram, outlier_scores, shrunk
from maintain.vocabulary import OutlierMethod


def drawn(seed: int, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.8, size=(side, side))


def test_a_blank_picture_has_finite_figures() -> None:
    assert np.isfinite(appearance(np.zeros((1, SIDE, SIDE)))).all()
    assert np.isfinite(appearance(np.full((1, SIDE, SIDE), 0.5))).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), gain=st.floats(0.3, 2.0), light=st.floats(-0.2, 0.2), slope=st.floats(-0.5, 0.5))
def test_brightness_contrast_and_shading_do_not_move_it(seed: int, gain: float, light: float, slope: float) -> None:
    picture = drawn(seed)
    across = np.linspace(-1.0, 1.0, SIDE)
    other = gain * picture + light + slope * across[:, None]
    assert np.allclose(appearance(picture[None]), appearance(other[None]), atol=1e-6)


def test_mirrored_it_is_the_same_so_that_an_eye_is_not_the_outlier() -> None:
    picture = drawn(3)
    assert np.allclose(appearance(picture[None]), appearance(picture[None, :, ::-1]), atol=0.05)


def test_stripes_show_in_their_band_in_the_peak_and_in_the_direction() -> None:
    stripes = drawn(1) * 0.1 + np.sin(2.0 * np.pi * 7.0 * np.arange(SIDE) / SIDE)[None, :]
    plain, striped = appearance(drawn(1)[None])[0], appearance(stripes[None])[0]
    for name in ("power 5.66 to 8", "peak", "direction"):
        place = APPEARANCE.index(name)
        assert striped[place] > plain[place] + 0.3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (33, 47), (64, 64), (200, 90)])
def test_shrinking_keeps_the_mean_and_the_size_is_one(height: int, width: int) -> None:
    picture = np.random.default_rng(1).uniform(size=(height, width))
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    small = shrunk(picture)
    assert small.shape == (SIDE, SIDE)
    assert small.mean() == pytest.approx(picture[top : top + square, left : left + square].mean())


def test_shrinking_by_a_whole_number_is_the_mean_of_blocks() -> None:
    picture = np.random.default_rng(2).uniform(size=(64, 64))
    blocks = picture.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    assert np.allclose(shrunk(picture), blocks)
    assert np.allclose(shrunk(picture[:32, :32]), picture[:32, :32])


def test_grey_is_the_mean_of_the_channels() -> None:
    assert grey(np.array([[[0, 255, 255]]], dtype=np.uint8))[0, 0] == pytest.approx(2.0 / 3.0)


def test_no_scores_have_no_histogram() -> None:
    with pytest.raises(NotEvaluatedError):
        histogram(np.array([]), cut=3.5)


def test_a_histogram_counts_every_score_once_and_those_past_the_cut() -> None:
    scores = np.concatenate([np.random.default_rng(1).normal(size=500), [1e6, -1e6]])
    above, below = histogram(scores, cut=1.0), histogram(scores, cut=-1.0)
    assert sum(above.counts) == sum(below.counts) == 502
    assert 1.0 in above.edges
    assert -1.0 in below.edges
    assert sum(above.counts[above.edges.index(1.0) :]) == int((scores >= 1.0).sum())
    assert sum(histogram(np.full(5, 3.5), cut=3.5).counts) == 5
    assert (above.beyond, below.beyond) == (int((scores > 1.0).sum()), int((scores < -1.0).sum()))


@pytest.mark.parametrize("share", [0.02, 0.10, 0.30])
def test_the_hospitals_variants_are_found(share: float) -> None:
    """Held to the least that is promised, on a hospital by which nothing was chosen."""
    pixels, truth = draw_hospital(HospitalOptions(seed=26, patients=600, variant_share=share, withdrawals=0))
    figures = appearance(np.stack([shrunk(grey(picture)) for picture in pixels]))
    strata = [f"{row.camera} {row.recorded_diagnosis}" for row in truth]
    scores = outlier_scores(figures, strata, method=OutlierMethod.MAHALANOBIS)
    odd = np.array([row.variant for row in truth])
    assert (scores[odd][:, None] > scores[~odd][None, :]).mean() >= 0.90
