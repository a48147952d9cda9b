"""What is known before a comparison: the standard errors at its size, and what the bounds will add to them.

A bound is corrected where few patients differ (`sandwich`, `clustered`), and a plan that forgot this would promise
too much: at 80 patients the plain t passes an unchanged model in two of three cohorts, the corrected bound in one of
twenty. How many patients will differ is itself a chance, here a binomial of patients alike within themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binom, multivariate_normal, norm
from scipy.stats import t as student

from maintain.statistics.sandwich import EXTREMES_OF_CLASS, FEWEST_DISCORDANT, FEWEST_OF_CLASS

#: A chance from which on a comparison is worth its cost, and at which a difference counts as visible.
LIKELY = 0.80

#: Variance of a difference of two models over that of independent cases: measured at four images a patient, and
#: with the likeness of realistic pairs (power study, headline facts; section 1).
DESIGN_EFFECT, HARD_DESIGN_EFFECT = 1.1, 1.5

#: The standard error of an AUROC difference over that of balanced accuracy (power study, section 1).
AUROC_SHARE = 0.5

#: Correlations above this are one variable.
SAME = 1.0 - 1e-9


@dataclass(frozen=True, slots=True)
class PlannedError:
    """The standard error of one metric, and what the corrections of its bound add.

    `classes`: of each class its part of the variance, the patients who have it, and the chance that too few of
    them changed. `reach`: what one added patient is worth against the patients there are.
    """

    plain: float
    classes: tuple[tuple[float, float, float], ...]
    reach: float

    def bound(self, *, patients: int, extremes: float, thin: bool) -> float:
        """The standard error that the bound uses, with a share `extremes` of the correction over all classes."""
        variance = self.plain**2
        for part, owners, chance in self.classes if thin else ():
            added = 2.0 * EXTREMES_OF_CLASS
            widened = part * (owners / (owners + added)) ** 2 + added / (len(self.classes) * (owners + added)) ** 2
            variance += chance * max(widened - part, 0.0)
        shrunk = (patients / (patients + 2.0)) ** 2
        widened = max(variance * shrunk + 2.0 * (self.reach / (patients + 2.0)) ** 2, variance)
        return math.sqrt((1.0 - extremes) * variance + extremes * widened)

    def passes(self, margin: float, alpha: float, df: float, *, patients: int, extremes: float, thin: bool) -> float:
        """The deviate of the chance that the lower bound of no difference lies above `-margin`."""
        return deviate(margin, self.plain, self.bound(patients=patients, extremes=extremes, thin=thin), alpha, df)


def metric_errors(
    class_cases: Sequence[int], patients: int, disagreement: float, design_effect: float
) -> tuple[PlannedError, PlannedError, PlannedError]:
    """Accuracy, balanced accuracy and AUROC; a class is thin where few of its patients are expected to change."""
    cases, number = sum(class_cases), len(class_cases)
    images = cases / patients
    shares = [count / cases for count in class_cases]
    parts = [disagreement * design_effect / count / number**2 for count in class_cases]
    owners = [patients * (1.0 - (1.0 - share) ** images) for share in shares]
    changed = [1.0 - (1.0 - disagreement * share) ** images for share in shares]
    thin = [float(binom.cdf(FEWEST_OF_CLASS - 1, patients, chance)) for chance in changed]
    lacking = [float(count < FEWEST_OF_CLASS) for count in owners]
    balanced = math.sqrt(sum(parts))
    halves = [AUROC_SHARE**2 * part for part in parts]
    return (
        PlannedError(math.sqrt(disagreement * design_effect / cases), (), 1.0),
        PlannedError(balanced, tuple(zip(parts, owners, thin, strict=True)), 1.0),
        PlannedError(AUROC_SHARE * balanced, tuple(zip(halves, owners, lacking, strict=True)), number / (number - 1.0)),
    )


def few_differ(cases: int, patients: int, differing: float) -> float:
    """The chance that fewer patients differ than a plain t interval needs, if that share of the cases does."""
    chance = 1.0 - (1.0 - differing) ** (cases / patients / DESIGN_EFFECT)
    return float(binom.cdf(FEWEST_DISCORDANT - 1, patients, chance))


def visible_effect(error: float, alpha: float, df: float, *, bound: float) -> float:
    """The true difference that a one-sided bound at `alpha` puts off zero with chance `LIKELY`."""
    critical = float(student.ppf(1.0 - alpha, df))
    spread = math.sqrt(error**2 + (critical * bound) ** 2 / (2.0 * df))
    return min(critical * (1.0 - 1.0 / (4.0 * df)) * bound + float(norm.ppf(LIKELY)) * spread, 1.0)


def deviate(margin: float, error: float, bound: float, alpha: float, df: float) -> float:
    """The normal deviate of the chance that no difference, known to `bound`, is shown to be less than `margin`.

    For `bound` = `error` it is the noncentral t's (Abramowitz and Stegun 26.7.10), which stands where tables fail.
    """
    critical = float(student.ppf(1.0 - alpha, df))
    spread = math.sqrt(error**2 + (critical * bound) ** 2 / (2.0 * df))
    return (margin - critical * (1.0 - 1.0 / (4.0 * df)) * bound) / spread


def both_below(first: float, second: float, correlation: float) -> float:
    """The chance that two correlated normal variables stay below two deviates."""
    if correlation > SAME:
        return float(norm.cdf(min(first, second)))
    covariance = [[1.0, correlation], [correlation, 1.0]]
    return float(multivariate_normal.cdf([first, second], cov=covariance))
