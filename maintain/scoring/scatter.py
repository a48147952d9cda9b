"""The middle and spread of the closest half of all rows: the minimum covariance determinant.

Up to half of the rows may be of another kind and the answer stays that of the rest, which is why an
outlier that is common is still found. FAST-MCD, Rousseeuw and Van Driessen, Technometrics 41 (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from maintain.errors import NotEvaluatedError

FloatArray: TypeAlias = NDArray[np.float64]

#: Random starts, steps of each before the best are chosen, and how many are carried to the end (section 3.2).
STARTS, FIRST_STEPS, CARRIED = 200, 2, 10
#: Steps after which a start is ended all the same; a dozen is usual.
MOST_STEPS = 100
#: Rows among which the starts search; more make each step slower and the answer no better.
MOST_SEARCHED = 2_000
#: Rows closer than this quantile under a normal distribution are used again for the final spread (section 4).
KEPT_QUANTILE = 0.975


@dataclass(frozen=True, slots=True)
class Scatter:
    """A middle [columns] and the inverse of a spread [columns, columns]."""

    middle: FloatArray
    precision: FloatArray

    def squared_distance(self, rows: FloatArray) -> FloatArray:
        """The squared Mahalanobis distance of each row."""
        off = rows - self.middle
        return np.asarray(np.einsum("ij,jk,ik->i", off, self.precision, off))


def robust_scatter(rows: FloatArray, *, seed: int = 0) -> Scatter:
    """The reweighted minimum covariance determinant of rows [cases, columns]; the same rows and seed give the same.

    Raises `NotEvaluatedError` where the closest half of the rows lies in a plane: nothing is then usual.
    """
    rng = np.random.default_rng(seed)
    searched = rows if len(rows) <= MOST_SEARCHED else rows[rng.choice(len(rows), MOST_SEARCHED, replace=False)]
    starts = sorted((_start(searched, rng) for _ in range(STARTS)), key=lambda found: found[0])[:CARRIED]
    _, best = min((_steps(searched, scatter, MOST_STEPS) for _, scatter in starts), key=lambda found: found[0])
    log_determinant, best = _steps(rows, best, MOST_STEPS)
    if not np.isfinite(log_determinant):
        raise NotEvaluatedError(
            "Half of the cases have figures that depend on each other exactly, so there is no usual spread.",
            remedy="Score other images; copies of one picture cannot be judged.",
        )
    return _reweighted(rows, _consistent(best, rows.shape[1], _half(rows) / len(rows)))


# --- private ---------------------------------------------------------------------------------------

#: Rows lie in a plane where they vary across it by less than this share (of the variance) of what they do along it.
_FLAT = 1e-12
#: A determinant falls with every step; one that falls by less than this (of its logarithm) has settled.
_SETTLED = 1e-10


def _half(rows: FloatArray) -> int:
    """How many rows are the closest half: (n + p + 1) / 2, which survives the most rows of another kind."""
    cases, columns = rows.shape
    return int(cases + columns + 1) // 2


def _start(rows: FloatArray, rng: np.random.Generator) -> tuple[float, Scatter]:
    """From a few random rows, a few steps."""
    few = rows[rng.choice(len(rows), rows.shape[1] + 1, replace=False)]
    return _steps(rows, _scatter(few)[1], FIRST_STEPS)


def _steps(rows: FloatArray, scatter: Scatter, most: int) -> tuple[float, Scatter]:
    """Scatter of the closest half, again and again, until its determinant no longer falls."""
    half, before = _half(rows), np.inf
    for _ in range(most):
        closest = np.argpartition(scatter.squared_distance(rows), half - 1)[:half]
        log_determinant, scatter = _scatter(rows[closest])
        if not before - log_determinant > _SETTLED:
            break
        before = log_determinant
    return log_determinant, scatter


def _scatter(rows: FloatArray) -> tuple[float, Scatter]:
    """The log determinant of the covariance, -inf where the rows lie in a plane; and the scatter.

    In a plane the precision across it is finite and huge, so that rows beside the plane are far from it.
    """
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(rows, rowvar=False, bias=True)))
    flattest = max(values[-1] * _FLAT, np.finfo(np.float64).tiny)
    log_determinant = float(np.log(values).sum()) if values[0] > flattest else -np.inf
    precision = (vectors / np.maximum(values, flattest)) @ vectors.T
    return log_determinant, Scatter(rows.mean(axis=0), precision)


def _consistent(scatter: Scatter, columns: int, share: float) -> Scatter:
    """The spread of the closest share of normal rows, made that of all: Croux and Haesbroeck (1999)."""
    factor = share / chi2.cdf(chi2.ppf(share, columns), columns + 2)
    return Scatter(scatter.middle, scatter.precision / factor)


def _reweighted(rows: FloatArray, scatter: Scatter) -> Scatter:
    """The plain scatter of the rows that are not far, made that of all."""
    columns = rows.shape[1]
    near = scatter.squared_distance(rows) <= chi2.ppf(KEPT_QUANTILE, columns)
    log_determinant, found = _scatter(rows[near])
    return _consistent(found, columns, KEPT_QUANTILE) if np.isfinite(log_determinant) else scatter
