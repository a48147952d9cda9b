"""What the retention gate reports beside the figures that decide: calibration and operating points.

They have no margin. A reader sees from them what averages hide: a model that grew too sure, or that lost where
it is to be used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from maintain.errors import NotEvaluatedError
from maintain.gates.finding import figure_of
from maintain.gates.losses import Part
from maintain.records import Figure
from maintain.statistics import (
    Scored,
    WeightedFigure,
    brier,
    calibration_error,
    calibration_slope,
    difference,
    jackknife_bound,
    sensitivity_at,
    specificity_at,
)

#: Where one side of the ROC curve is fixed while the other is compared, a usual point of screening studies.
FIXED_SHARE = 0.90


def reported(before: Scored, after: Scored, patients: Sequence[str], *, alpha: float) -> Part:
    """The figures that exist, each bounded at one-sided level `alpha`, and a note on each that does not."""
    figures, notes = [], []
    for name, figure in _COMPARED.items():
        try:
            bound = jackknife_bound(difference(figure(before), figure(after)), patients, alpha=alpha)
        except NotEvaluatedError as error:
            notes.append(f"Not reported: {name}: {error.message}")
        else:
            figures.append(figure_of(name, bound, cases=bound.cases, patients=bound.patients))
    return Part(figures=tuple(figures), notes=tuple(notes))


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
