"""What a comparison can show before it is made: how small a difference is seen, how often no difference passes.

Closed forms, so that a plan costs no simulation: a standard error from the sizes of the arms, and the noncentral t
for what a bound at a margin then does. Each function plans one bound of this room and is named after it. The
constants were measured on simulated and trained models (power study; feasibility study, sections 1 to 4) and hold
for other data only roughly: variance that the difficulty proxy leaves, disagreement and likeness within patients
are what to measure first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import multivariate_normal, norm, studentized_range
from scipy.stats import t as student

from maintain.errors import InputError

#: A chance from which on a comparison is worth its cost, and at which a difference counts as visible.
LIKELY = 0.80

#: Below so many cases or patients in an arm nothing is judged: a pass is next to impossible there and a failure
#: is not trustworthy (power study, section 5, min_cases).
FEWEST_CASES, FEWEST_PATIENTS = 100, 25

#: Level of each of the two bounds of a 90 % interval: all comparisons must pass, so it is not shared (section 5).
BEHAVIOUR_ALPHA = 0.05

#: Of correctness adjusted for difficulty: standard error is this times sqrt(1/n + 1/m), likeness within patients
#: included (power study, section 3). Raw correctness needs three to four times as many cases.
ADJUSTED_SPREAD, RAW_SPREAD = 0.36, 0.64

#: The same of the AUC of an attack calibrated for difficulty: with label noise, and without any (section 3).
ATTACK_SPREAD, ATTACK_SPREAD_CLEAN_LABELS = 0.35, 0.44

#: Share of cases that one of two models answers rightly and the other wrongly: usual, and for retrains of a champion
#: that memorised noise (power study, headline facts .16, section 5 .15; feasibility study .12 to .13).
USUAL_DISAGREEMENT, HARD_DISAGREEMENT = 0.10, 0.15

#: Variance of a difference of two models over that of independent cases: measured at four images a patient, and
#: with the likeness of realistic pairs (power study, headline facts; section 1).
DESIGN_EFFECT, HARD_DESIGN_EFFECT = 1.1, 1.5

#: The standard error of an AUROC difference over that of balanced accuracy (power study, section 1).
AUROC_SHARE = 0.5

#: Models whose mean is the yardstick of a withdrawn group (feasibility study, section 4).
REFERENCES = 3

#: Standard deviation of one retrain's accuracy on a group it never saw, from the mean differences .04 and .07 of
#: pairs of seeds under a light and a middling domain shift (feasibility study, section 1). No case lessens it.
SEED_SPREAD, HARD_SEED_SPREAD = 0.035, 0.06

#: Quantile of never-seen cases beyond which a case is in the tail: that share of an honest model's cases is there.
TAIL_NULL = 0.05


@dataclass(frozen=True, slots=True)
class ArmSize:
    """How many cases, of how many patients, stand on one side of a comparison."""

    cases: int
    patients: int


@dataclass(frozen=True, slots=True)
class Power:
    """What a comparison of this size does.

    `chance`: that no true difference is shown to lie inside the margin. `smallest_visible`: the true difference whose
    interval excludes zero with chance `LIKELY`; None where no interval exists. `reason` says why a chance is zero.
    """

    chance: float
    smallest_visible: float | None
    reason: str = ""


def paired_metrics_power(
    class_cases: Sequence[int],
    patients: int,
    *,
    margin: float,
    alpha: float,
    disagreement: float = HARD_DISAGREEMENT,
    design_effect: float = DESIGN_EFFECT,
) -> Power:
    """Accuracy, balanced accuracy and AUROC all bounded above `-margin`, each one-sided at `alpha`.

    `class_cases`: cases of each class. Balanced accuracy binds, with variance d * sum(1/n_k) / K^2.
    """
    _check(margin, alpha)
    if len(class_cases) < 2 or min(class_cases) < 1:
        return Power(0.0, None, "a label has no case, so balanced accuracy does not exist")
    if patients < 2:
        return Power(0.0, None, "the cases are of one patient")
    variance = disagreement * design_effect
    overall = math.sqrt(variance / sum(class_cases))
    balanced = math.sqrt(variance * sum(1.0 / cases for cases in class_cases)) / len(class_cases)
    df = patients - 1.0
    both = _both(
        _deviate(margin / overall, alpha, df), _deviate(margin / balanced, alpha, df), min(overall / balanced, 1.0)
    )
    ordered = _exceeds(margin / (AUROC_SHARE * balanced), alpha, df)
    return Power(both * ordered, _visible(balanced, alpha, df))


def paired_power(
    arm: ArmSize,
    *,
    margin: float,
    alpha: float = BEHAVIOUR_ALPHA,
    disagreement: float = HARD_DISAGREEMENT,
    design_effect: float = DESIGN_EFFECT,
) -> Power:
    """Accuracy of two models on the same cases, bounded above `-margin`, one-sided."""
    _check(margin, alpha)
    if reason := _too_small(arm):
        return Power(0.0, _paired_visible(arm, alpha, disagreement * design_effect), reason)
    error = math.sqrt(disagreement * design_effect / arm.cases)
    df = arm.patients - 1.0
    return Power(_exceeds(margin / error, alpha, df), _visible(error, alpha, df))


def adjusted_difference_power(
    first: ArmSize, second: ArmSize, *, margin: float, alpha: float = BEHAVIOUR_ALPHA, spread: float = ADJUSTED_SPREAD
) -> Power:
    """Adjusted correctness of two arms shown to differ by less than `margin` either way (two one-sided tests)."""
    _check(margin, alpha)
    return _two_arms(first, second, margin=margin, alpha=alpha, spread=spread)


def calibrated_auc_power(
    first: ArmSize, second: ArmSize, *, margin: float, alpha: float = BEHAVIOUR_ALPHA, spread: float = ATTACK_SPREAD
) -> Power:
    """The AUC of a calibrated attack shown to lie within `margin` of one half, either way."""
    _check(margin, alpha)
    return _two_arms(first, second, margin=margin, alpha=alpha, spread=spread)


def tail_share_power(
    first: ArmSize,
    second: ArmSize,
    *,
    limit: float,
    alpha: float = BEHAVIOUR_ALPHA,
    design_effect: float = HARD_DESIGN_EFFECT,
) -> Power:
    """The share of the first arm beyond the second's 95 % quantile shown to be below `limit`.

    The quantile is estimated too, so both arms count: variance p(1-p)(1/n + 1/m). `smallest_visible` is a share of
    the first arm above the `TAIL_NULL` that lies there anyway.
    """
    _check(limit, alpha)
    if limit <= TAIL_NULL:
        return Power(
            0.0, None, f"an honest model has {TAIL_NULL:g} of its cases there, which is no less than the limit"
        )
    spread = math.sqrt(TAIL_NULL * (1.0 - TAIL_NULL) * design_effect)
    return _two_arms(first, second, margin=limit - TAIL_NULL, alpha=alpha, spread=spread, one_sided=True)


def mean_bound_power(
    arm: ArmSize,
    *,
    margin: float,
    alpha: float = BEHAVIOUR_ALPHA,
    disagreement: float = HARD_DISAGREEMENT,
    design_effect: float = DESIGN_EFFECT,
    seed_spread: float = SEED_SPREAD,
    references: int = REFERENCES,
) -> Power:
    """Accuracy shown within `margin` of the mean of `references` retrains, which must agree within `margin` too.

    A case's part of the variance is d/2 * (1 + 1/references); a seed's part is there however many cases are.
    """
    _check(margin, alpha)
    copies = 1.0 + 1.0 / references
    sampling = disagreement * design_effect / 2.0 * copies
    if reason := _too_small(arm):
        return Power(0.0, _paired_visible(arm, alpha, sampling), reason)
    error = math.sqrt(sampling / arm.cases)
    df = arm.patients - 1.0
    spread = math.hypot(error, seed_spread * math.sqrt(copies))
    inside = margin - float(student.ppf(1.0 - alpha, df)) * error
    shown = 2.0 * float(norm.cdf(inside / spread)) - 1.0
    one_model = math.hypot(seed_spread, math.sqrt(disagreement * design_effect / 2.0 / arm.cases))
    agree = float(studentized_range.cdf(margin / one_model, references, math.inf))
    return Power(max(shown, 0.0) * agree, _visible(spread, alpha, df))


def share_bound_power(patients: int, *, limit: float, alpha: float = BEHAVIOUR_ALPHA) -> Power:
    """A share shown to be below `limit` where nothing happens: exact, 1 - alpha^(1/patients) < limit.

    `smallest_visible` is that bound: the largest share that could have stayed unseen.
    """
    _check(limit, alpha)
    if patients < 1:
        return Power(0.0, None, "there is no patient")
    bound = 1.0 - alpha ** (1.0 / patients)
    needed = patients_without_event(limit, alpha=alpha)
    if patients < needed:
        return Power(0.0, bound, f"{needed} patients are needed even if nothing happens")
    return Power(1.0, bound)


def patients_without_event(limit: float, *, alpha: float) -> int:
    """The fewest patients of whom none shows anything that bound the share below `limit` at one-sided `alpha`."""
    _check(limit, alpha)
    return math.floor(math.log(alpha) / math.log1p(-limit)) + 1


def cases_per_arm(spread: float, *, margin: float, alpha: float = BEHAVIOUR_ALPHA, chance: float = LIKELY) -> int:
    """Cases in each of two equal arms for that chance, by the normal approximation (many patients)."""
    _check(margin, alpha)
    reach = float(norm.ppf(1.0 - alpha) + norm.ppf((1.0 + chance) / 2.0))
    return math.ceil(2.0 * (spread * reach / margin) ** 2)


# --- private ---------------------------------------------------------------------------------------


def _check(margin: float, alpha: float) -> None:
    if not 0.0 < margin < 1.0:
        raise InputError("A margin or limit must lie between 0 and 1.", remedy="Give a margin, for instance 0.05.")
    if not 0.0 < alpha < 0.5:
        raise InputError("A one-sided level must lie between 0 and 0.5.", remedy="Give alpha, for instance 0.025.")


def _too_small(*arms: ArmSize) -> str:
    if all(arm.cases >= FEWEST_CASES and arm.patients >= FEWEST_PATIENTS for arm in arms):
        return ""
    return f"not evaluated by design below {FEWEST_CASES} images or {FEWEST_PATIENTS} patients in an arm"


def _two_arms(
    first: ArmSize, second: ArmSize, *, margin: float, alpha: float, spread: float, one_sided: bool = False
) -> Power:
    reason = _too_small(first, second)
    if min(first.patients, second.patients) < 2:
        return Power(0.0, None, reason)
    shares = 1.0 / first.cases, 1.0 / second.cases
    error = spread * math.sqrt(sum(shares))
    # Welch-Satterthwaite, each arm's part of the variance being as its share of cases.
    df = sum(shares) ** 2 / (shares[0] ** 2 / (first.patients - 1) + shares[1] ** 2 / (second.patients - 1))
    visible = _visible(error, alpha, df)
    if reason:
        return Power(0.0, visible, reason)
    one = _exceeds(margin / error, alpha, df)
    return Power(one if one_sided else max(2.0 * one - 1.0, 0.0), visible)


def _paired_visible(arm: ArmSize, alpha: float, variance: float) -> float | None:
    if arm.patients < 2:
        return None
    return _visible(math.sqrt(variance / arm.cases), alpha, arm.patients - 1.0)


def _visible(error: float, alpha: float, df: float) -> float:
    """The true difference that a one-sided bound at `alpha` puts off zero with chance `LIKELY`."""
    critical = float(student.ppf(1.0 - alpha, df))
    shift = critical * (1.0 - 1.0 / (4.0 * df)) + float(norm.ppf(LIKELY)) * math.sqrt(1.0 + critical**2 / (2.0 * df))
    return min(error * shift, 1.0)


def _exceeds(noncentrality: float, alpha: float, df: float) -> float:
    """The chance that a noncentral t exceeds its critical value."""
    return float(norm.cdf(_deviate(noncentrality, alpha, df)))


def _deviate(noncentrality: float, alpha: float, df: float) -> float:
    """The normal deviate of that chance: Abramowitz and Stegun 26.7.10, which stands where tables of it fail."""
    critical = float(student.ppf(1.0 - alpha, df))
    return (noncentrality - critical * (1.0 - 1.0 / (4.0 * df))) / math.sqrt(1.0 + critical**2 / (2.0 * df))


def _both(first: float, second: float, correlation: float) -> float:
    """The chance that two correlated normal variables stay below two deviates."""
    if correlation > 1.0 - 1e-9:
        return float(norm.cdf(min(first, second)))
    covariance = [[1.0, correlation], [correlation, 1.0]]
    return float(multivariate_normal.cdf([first, second], cov=covariance))
