"""One patient among those never seen: the only behavioural question that a handful of images can answer.

It can show that something was kept; it can never show that nothing was (power study, section 3).
"""

from __future__ import annotations

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.arms import CONSTANT, Arm, calibrated, checked
from maintain.statistics.metrics import FloatArray


def patient_rank(one: Arm, others: Arm) -> float:
    """The share of never-seen patients whose mean calibrated value is at least that of the one, both counted with him.

    A one-sided p-value, (1 + k) / (1 + n), never below 1 / (1 + n). The slopes come from all cases alike, so
    that without a leak every patient could as well have been the one. Raises `InputError` unless the first arm
    is one patient who is not in the second, `NotEvaluatedError` where values are no numbers or nobody is there.
    """
    first, second = checked(one), checked(others)
    if len(set(first.patients)) != 1 or first.patients[0] in second.patients:
        raise InputError("A rank is that of one patient among others.", remedy="Give the cases of one patient first.")
    if first.covariates.shape[1] != second.covariates.shape[1]:
        raise InputError("The two arms have different covariates.", remedy="Give both arms the same columns.")
    together = Arm(
        values=np.concatenate([first.values, second.values]),
        patients=first.patients + second.patients,
        covariates=np.vstack([first.covariates, second.covariates]),
        weights=np.concatenate([first.weights, second.weights]),
    )
    (scored,) = calibrated(together)
    left = scored.values
    size = float(np.abs(together.values).max())
    if np.ptp(left) <= CONSTANT * size:
        raise NotEvaluatedError("All values are tied, so nobody has a rank.", remedy="Judge by other values.")
    means = _means(left, together)
    own, rest = means[0], means[1:]
    return float((1 + np.count_nonzero(rest >= own - CONSTANT * size)) / (1 + len(rest)))


# --- private ---------------------------------------------------------------------------------------


def _means(values: FloatArray, arm: Arm) -> FloatArray:
    """Each patient's weighted mean, in the order in which they first come."""
    number = {owner: place for place, owner in enumerate(dict.fromkeys(arm.patients))}
    owner = np.array([number[name] for name in arm.patients])
    means: FloatArray = np.bincount(owner, weights=arm.weights * values) / np.bincount(owner, weights=arm.weights)
    return means
