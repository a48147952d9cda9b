"""Multinomial logistic regression with an L2 penalty: how hard a case is by simple features, and linear probes.

Features are standardised; the mean log loss plus penalty / 2 times the squared coefficients (intercepts
free) has one minimum, so the fit depends on the data alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray

#: A feature that varies less than this against its size is constant but for rounding.
CONSTANT = 1e-9

#: The fit ends when no coefficient would change the mean loss by more than this per unit.
GRADIENT = 1e-5

#: More steps than any fit here has taken, so that one that does not end is noticed.
MOST_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Centre and scale of the features, and a coefficient for each feature and class."""

    centre: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    """(features, classes), of standardised features."""
    intercepts: FloatArray

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """The log probability of each class, (cases, classes). Raises for other columns or values that are none."""
        _check_features(features)
        if features.shape[1] != len(self.centre):
            raise InputError("The model was fitted on other features.", remedy="Give the columns it was fitted on.")
        scores = (features - self.centre) / self.scale @ self.coefficients + self.intercepts
        found: FloatArray = log_softmax(scores, axis=1)
        return found


def fit_logistic(features: FloatArray, labels: IntArray, classes: int, *, penalty: float) -> LogisticModel:
    """The model of least penalised mean log loss.

    Raises `NotEvaluatedError` where a class has no case, a feature is no number, or the fit does not end.
    """
    _check(features, labels, classes, penalty)
    centre, spread = features.mean(axis=0), features.std(axis=0)
    varies = spread > CONSTANT * np.abs(features).max(axis=0)
    scale = np.where(varies, spread, 1.0)
    x = np.where(varies, (features - centre) / scale, 0.0)
    coefficients, intercepts = _minimum(x, labels, classes, penalty)
    return LogisticModel(centre=centre, scale=scale, coefficients=coefficients, intercepts=intercepts)


# --- private ---------------------------------------------------------------------------------------


def _minimum(x: FloatArray, labels: IntArray, classes: int, penalty: float) -> tuple[FloatArray, FloatArray]:
    """L-BFGS from zero coefficients and the log shares of the classes."""
    cases, columns = x.shape
    truth = np.eye(classes)[labels]

    def loss(packed: FloatArray) -> tuple[float, FloatArray]:
        weights = packed.reshape(columns + 1, classes)
        logs = log_softmax(x @ weights[:-1] + weights[-1], axis=1)
        excess = (np.exp(logs) - truth) / cases
        slopes = np.vstack([x.T @ excess + penalty * weights[:-1], excess.sum(axis=0)])
        value = -(logs * truth).sum() / cases + penalty / 2.0 * np.square(weights[:-1]).sum()
        return float(value), slopes.ravel()

    start = np.zeros((columns + 1, classes))
    start[-1] = np.log(truth.mean(axis=0))
    options = {"maxiter": MOST_STEPS, "maxfun": 2 * MOST_STEPS, "gtol": GRADIENT, "ftol": 0.0, "maxcor": 20}
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    if not np.isfinite(found.x).all() or np.abs(found.jac).max() > GRADIENT:
        raise NotEvaluatedError("The logistic fit did not end.", remedy="Give a larger penalty or fewer features.")
    weights = found.x.reshape(columns + 1, classes)
    return weights[:-1], weights[-1]


def _check_features(features: FloatArray) -> None:
    if features.ndim != 2:
        raise InputError("Features need a row per case.", remedy="Give features of shape (cases, columns).")
    if not np.isfinite(features).all():
        raise NotEvaluatedError("Some features are NaN or infinite.", remedy="Leave out the cases without features.")


def _check(features: FloatArray, labels: IntArray, classes: int, penalty: float) -> None:
    _check_features(features)
    if len(labels) != len(features) or classes < 2:
        raise InputError("Features and labels do not fit.", remedy="Give a label a case and two classes or more.")
    if not (np.isfinite(penalty) and penalty > 0.0):
        raise InputError("The penalty must be above 0.", remedy="Give the penalty, for instance 0.01.")
    if len(labels) and (labels.min() < 0 or labels.max() >= classes):
        raise InputError("A label is no class.", remedy="Number classes from 0.")
    absent = classes - len(np.unique(labels))
    if absent:
        raise NotEvaluatedError(
            f"{absent} of {classes} classes have no case to learn from.", remedy="Bring in cases of every class."
        )
