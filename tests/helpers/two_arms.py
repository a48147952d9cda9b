"""Two arms of cases nested in patients, drawn with a shared patient effect and difficulty covariates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maintain.statistics import Arm

FloatArray = NDArray[np.float64]

#: The share of a value's variance that the patient has, beyond difficulty.
CORRELATION = 0.3


def arm_of(
    rng: np.random.Generator,
    name: str,
    patients: int,
    *,
    columns: int = 1,
    shift: float = 0.0,
    easier: float = 0.0,
    decided: bool = False,
    rounded: bool = False,
    weighted: bool = False,
) -> Arm:
    """Patients of 2-6 cases: margins, or decisions (margin above -1), with slope 1 on each covariate."""
    owner = np.repeat(np.arange(patients), rng.integers(2, 7, patients))
    cases = len(owner)
    covariates = rng.normal(size=(cases, columns)) + easier
    values = np.sqrt(CORRELATION) * rng.normal(size=patients)[owner] + covariates.sum(axis=1) + shift
    values += np.sqrt(1.0 - CORRELATION) * rng.normal(size=cases)
    if decided:
        values = (values > -1.0).astype(np.float64)
    elif rounded:
        values, covariates = np.round(values), np.round(covariates)
    weights = rng.choice([0.5, 1.0, 2.0], cases) if weighted else np.ones(cases)
    return Arm(
        values=values,
        patients=tuple(f"{name}-{number}" for number in owner),
        covariates=covariates,
        weights=weights / weights.mean(),
    )


def plain_arm(values: list[float] | FloatArray, name: str, *, each: int = 1, weights: FloatArray | None = None) -> Arm:
    """An arm without covariates, `each` cases a patient."""
    cases = len(values)
    return Arm(
        values=np.asarray(values, dtype=np.float64),
        patients=tuple(f"{name}-{number // each}" for number in range(cases)),
        covariates=np.zeros((cases, 0)),
        weights=np.ones(cases) if weights is None else weights,
    )
