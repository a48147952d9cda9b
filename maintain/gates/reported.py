"""What the retention gate reports beside the figures that decide: calibration, operating points, changes.

They have no margin. A reader sees from them what averages hide: a model that grew too sure, or that is as
good as before and answers other cases wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from maintain.errors import NotEvaluatedError
from maintain.records import Figure
from maintain.statistics import (
    Bound,
    Scored,
    WeightedFigure,
    brier,
    calibration_error,
    calibration_slope,
    churn,
    difference,
    jackknife_bound,
    new_misses,
    sensitivity_at,
    specificity_at,
)

#: Where one side of the ROC curve is fixed while the other is compared, a usual point of screening studies.
FIXED_SHARE = 0.90


def reported(
    before: Scored, after: Scored, patients: Sequence[str], *, alpha: float
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """The figures that exist, each bounded at one-sided level `alpha`, and why the others do not."""
    bounds: dict[str, Callable[[], Bound]] = {
        name: partial(_difference, figure, before, after, patients, alpha) for name, figure in _COMPARED.items()
    }
    bounds["churn"] = partial(churn, before, after, patients, alpha=alpha)
    bounds["new misses"] = partial(new_misses, before, after, patients, alpha=alpha)
    figures, missing = [], []
    for name, bound in bounds.items():
        try:
            figures.append(_figure(name, bound()))
        except NotEvaluatedError as error:
            missing.append(f"{name}: {error.message}")
    return tuple(figures), tuple(missing)


def told(figure: Figure) -> str:
    """One reported figure with its interval, as plain numbers."""
    if figure.low is None or figure.high is None:
        return f"{figure.name} {figure.value:.3f}"
    return f"{figure.name} {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


# --- private ---------------------------------------------------------------------------------------

_FIXED = f"{FIXED_SHARE:.2f}"

_COMPARED: Mapping[str, Callable[[Scored], WeightedFigure]] = {
    "Brier score difference": brier,
    "calibration error difference": calibration_error,
    "calibration slope difference": calibration_slope,
    f"sensitivity at specificity {_FIXED} difference": lambda scored: sensitivity_at(scored, specificity=FIXED_SHARE),
    f"specificity at sensitivity {_FIXED} difference": lambda scored: specificity_at(scored, sensitivity=FIXED_SHARE),
}


def _difference(
    figure: Callable[[Scored], WeightedFigure], before: Scored, after: Scored, patients: Sequence[str], alpha: float
) -> Bound:
    return jackknife_bound(difference(figure(before), figure(after)), patients, alpha=alpha)


def _figure(name: str, bound: Bound) -> Figure:
    return Figure(
        name=name,
        value=bound.estimate,
        low=bound.low,
        high=bound.high,
        cases=bound.cases,
        patients=bound.patients,
    )
