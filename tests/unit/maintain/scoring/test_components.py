"""Components: refused where nothing is usual; as many as cases support; no single case turns them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from maintain.errors import InputError, NotEvaluatedError
from maintain.scoring import components, outlier_scores
from maintain.scoring.components import CASES_A_COMPONENT, FEWEST_COMPONENTS, MOST_COMPONENTS
from maintain.vocabulary import OutlierMethod

ENOUGH = MOST_COMPONENTS * CASES_A_COMPONENT


def drawn(cases: int, columns: int, seed: int = 1) -> np.ndarray:
    """Columns that vary less and less."""
    return np.random.default_rng(seed).normal(size=(cases, columns)) * 0.9 ** np.arange(columns)


def test_too_few_cases_support_no_components() -> None:
    few = FEWEST_COMPONENTS * CASES_A_COMPONENT - 1
    with pytest.raises(NotEvaluatedError, match=f"{few} cases are too few .* {few + 1} are needed"):
        components(drawn(few, 8), ["a"] * few)
    assert components(drawn(few + 1, 8), ["a"] * (few + 1)).shape == (few + 1, FEWEST_COMPONENTS)


def test_figures_that_do_not_fit_are_refused() -> None:
    figures = drawn(100, 5)
    with pytest.raises(InputError, match="do not fit"):
        components(figures, ["a"] * 99)
    figures[3, 1] = np.inf
    with pytest.raises(InputError, match="not all finite"):
        components(figures, ["a"] * 100)


@pytest.mark.parametrize("columns", [0, 1])
def test_cases_that_hardly_differ_have_no_components(columns: int) -> None:
    figures = np.ones((100, 6))
    figures[:, :columns] = drawn(100, columns)
    with pytest.raises(NotEvaluatedError, match="hardly differ"):
        components(figures, ["a"] * 100)
    with pytest.raises(NotEvaluatedError, match="hardly differ"):
        components(figures[:, :columns], ["a"] * 100)


def test_there_are_as_many_as_cases_support_and_columns_vary_in() -> None:
    wide = drawn(ENOUGH, 80)
    assert components(wide, ["a"] * ENOUGH).shape[1] == MOST_COMPONENTS
    assert components(wide[: ENOUGH // 2], ["a"] * (ENOUGH // 2)).shape[1] == MOST_COMPONENTS // 2
    silent = np.concatenate([wide[:, :5], np.zeros((ENOUGH, 3)), wide[:, :2]], axis=1)
    assert components(silent, ["a"] * ENOUGH).shape[1] == 5


def test_they_are_the_principal_components_of_directions() -> None:
    figures = drawn(400, 10)
    centred = figures - np.median(figures, axis=0)
    sphere = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    model = PCA(n_components=10).fit(np.concatenate([sphere, -sphere]))
    expected = centred @ model.components_.T
    assert np.allclose(np.abs(components(figures, ["a"] * 400)), np.abs(expected), atol=1e-8)


def test_one_far_case_does_not_turn_them() -> None:
    figures = drawn(400, 6)
    far = figures.copy()
    far[0] = 1e6 * np.array([0, 0, 0, 0, 0, 1.0])
    turned = components(far, ["a"] * 400)[1:, :2]
    assert np.abs(np.corrcoef(turned.T, components(figures, ["a"] * 400)[1:, :2].T)[:2, 2:]).max(axis=1).min() > 0.98


@pytest.mark.parametrize("method", OutlierMethod)
def test_a_group_off_in_some_of_many_columns_is_found_and_a_device_is_not(method: OutlierMethod) -> None:
    rng = np.random.default_rng(3)
    figures = rng.normal(size=(300, 70))
    odd = np.arange(300) < 15
    figures[odd, 60:] += 5.0
    strata = ["one"] * 150 + ["two"] * 150
    figures[150:] += 40.0
    scores = outlier_scores(components(figures, strata), strata, method=method)
    assert (scores[odd][:, None] > scores[~odd][None, :]).mean() > 0.95
    assert abs(np.median(scores[15:150]) - np.median(scores[150:])) < 0.5
