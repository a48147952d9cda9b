"""What the people who use a model would notice: decisions that changed, and cases that it now gets wrong.

A model as good as the last one on average may still answer many cases otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.scored import BoolArray, Scored
from maintain.statistics.shares import Bound, share_bound


def churn(before: Scored, after: Scored, patients: Sequence[str], *, alpha: float) -> Bound:
    """The share of decisions that changed; of findings, each finding of each case is a decision."""
    _check(before, after)
    changed = before.decided != after.decided
    if before.exclusive:
        return share_bound(changed.any(axis=1), patients, alpha=alpha)
    return _among(changed, np.ones_like(changed), patients, alpha)


def new_misses(before: Scored, after: Scored, patients: Sequence[str], *, alpha: float) -> Bound:
    """Of the labelled decisions that the first model had right, the share that the second has wrong.

    Raises `NotEvaluatedError` when the first model had none right.
    """
    _check(before, after)
    labelled = np.ones(len(before.truth), dtype=np.bool_) if before.exclusive else before.known
    return _among(~after.right, before.right & labelled, patients, alpha)


# --- private ---------------------------------------------------------------------------------------


def _among(hits: BoolArray, members: BoolArray, patients: Sequence[str], alpha: float) -> Bound:
    rows = np.nonzero(members)[0]
    if not len(rows):
        raise NotEvaluatedError(
            "The first model decided no case rightly, so none can be newly missed.",
            remedy="Look at the first model, or at its labels.",
        )
    owners = np.asarray(patients)
    return share_bound(hits[members], owners[rows].tolist(), alpha=alpha)


def _check(before: Scored, after: Scored) -> None:
    same = before.exclusive == after.exclusive and before.decided.shape == after.decided.shape
    if not same or (before.truth != after.truth).any() or (before.known != after.known).any():
        raise InputError(
            "The two models were not measured on the same cases and labels.",
            remedy="Pair the measurements by case before comparing them.",
        )
