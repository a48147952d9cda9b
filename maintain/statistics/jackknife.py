"""A bound on any figure, by leaving out a group of patients at a time.

For figures without a formula of their own: calibration, points on a ROC curve, means over findings.
Groups keep patients whole, so that cases of one patient count as one; the spread of what is left gives
a t interval with one degree of freedom less than groups (Kott 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.statistics.sandwich import ROUNDING, IntervalMethod, check_level, numbered
from maintain.statistics.scored import WeightedFigure
from maintain.statistics.shares import Bound

#: Groups of patients at most. More make the interval hardly narrower: t with 99 degrees of freedom is 1 % above
#: the normal distribution.
MOST_GROUPS = 100


def jackknife_bound(figure: WeightedFigure, patients: Sequence[str], *, alpha: float) -> Bound:
    """A figure of all cases, bounded at one-sided level `alpha` by leaving out groups of patients.

    Raises `NotEvaluatedError` where the figure does not exist without one of the groups, or none of them
    moves it: of a figure that nothing moves no width is known, and none is made up.
    """
    check_level(alpha)
    if len(patients) == 0:
        raise NotEvaluatedError("There are no cases to judge.", remedy="Measure the holdout first.")
    owner = numbered(patients)
    group = groups_of(owner)
    estimate = figure(np.ones(len(group)))
    left = np.asarray([figure(np.where(group == out, 0.0, 1.0)) for out in range(int(group.max()) + 1)])
    if not np.isfinite(left).all() or not np.isfinite(estimate):
        raise InputError("A figure is NaN or infinite.", remedy="A figure that does not exist must raise.")
    error = _standard_error(left)
    if error <= ROUNDING:
        raise NotEvaluatedError(
            "The figure is the same whichever patients are left out, so how far it may be off is not known.",
            remedy="Judge by a figure that has an exact bound, such as accuracy.",
        )
    reach = float(student.ppf(1.0 - alpha, len(left) - 1)) * error
    return Bound(
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        cases=len(group),
        patients=int(owner.max()) + 1,
        method=IntervalMethod.JACKKNIFE,
    )


def groups_of(owner: IntArray) -> IntArray:
    """The group of each case: patients dealt in turn, those of most cases first, one a group if there are few."""
    cases = np.bincount(owner)
    dealt = np.empty(len(cases), dtype=np.int64)
    dealt[np.argsort(-cases, kind="stable")] = np.arange(len(cases)) % MOST_GROUPS
    group: IntArray = dealt[owner]
    return group


# --- private ---------------------------------------------------------------------------------------


def _standard_error(left: FloatArray) -> float:
    """sqrt((G - 1) / G * sum of squared departures from their mean)."""
    return float(np.sqrt((len(left) - 1) * np.var(left)))
