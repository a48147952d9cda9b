"""What a comparison can show before it is made: how small a difference is seen, how often no difference passes.

Closed forms, so that a plan costs no simulation: a standard error from the sizes of the arms, and the noncentral t
for what a bound at a margin then does. Each function plans one bound of this room and is named after it. The
constants were measured on simulated and trained models (power study; feasibility study, sections 1 to 4) and hold
for other data only roughly: variance that the difficulty proxy leaves, disagreement and likeness within patients
are what to measure first. Where few patients are expected to differ, the bounds are corrected, and so are the plans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm, studentized_range

from maintain.errors import InputError
from maintain.statistics.planned_errors import (
    DESIGN_EFFECT,
    HARD_DESIGN_EFFECT,
    LIKELY,
    PlannedError,
    both_below,
    deviate,
    few_differ,
    metric_errors,
    visible_effect,
)

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

#: Models whose mean is the yardstick of a withdrawn group (feasibility study, section 4).
REFERENCES = 3

#: Standard deviation of one retrain's accuracy on a group it never saw, from the mean differences .04 and .07 of
#: pairs of seeds under a light and a middling domain shift (feasibility study, section 1). No case lessens it.
SEED_SPREAD, HARD_SEED_SPREAD = 0.035, 0.06

#: Share of wrong answers in either arm (feasibility study, section 1: never-seen accuracy .72 to .83).
WRONG_SHARE = 0.25

#: Quantile of never-seen cases beyond which a case is in the tail: that share of an honest model's cases is there.
TAIL_NULL = 0.05


@dataclass(frozen=True, slots=True)
class ArmSize:
    """How many cases, of how many patients, stand on one side of a comparison.

    `largest` is how many of them the patient with the most has; None where patients are taken to be equally large.
    """

    cases: int
    patients: int
    largest: int | None = None

    @property
    def largest_ratio(self) -> float:
        """How many times as many cases as the average patient the one with the most has; 1 where nobody knows."""
        return 1.0 if self.largest is None else self.largest * self.patients / self.cases


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
    corrected: bool = True,
) -> Power:
    """Accuracy, balanced accuracy and AUROC all bounded above `-margin`, each one-sided at `alpha`.

    `class_cases`: cases of each class. Balanced accuracy binds, with variance d * sum(1/n_k) / K^2. `corrected`:
    with the bounds' correction for few discordant patients, which the study's grid did not have.
    """
    _check(margin, alpha)
    if len(class_cases) < 2 or min(class_cases) < 1:
        return Power(0.0, None, "a label has no case, so balanced accuracy does not exist")
    if patients < 2:
        return Power(0.0, None, "the cases are of one patient")
    errors = metric_errors(class_cases, patients, disagreement, design_effect)
    arm = ArmSize(sum(class_cases), patients)
    few = few_differ(arm.cases, arm.patients, disagreement) if corrected else 0.0
    df = patients - 1.0
    chance = 0.0
    for weight, extremes in ((1.0 - few, 0.0), (few, 1.0)):
        overall, balanced, ordered = (
            error.passes(margin, alpha, df, patients=patients, extremes=extremes, thin=corrected) for error in errors
        )
        alike = min(errors[0].plain / errors[1].plain, 1.0)
        chance += weight * both_below(overall, balanced, alike) * float(norm.cdf(ordered))
    reach = errors[1].bound(patients=patients, extremes=few, thin=corrected)
    return Power(chance, visible_effect(errors[1].plain, alpha, df, bound=reach))


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
    return _one_arm(
        arm, margin=margin, alpha=alpha, variance=disagreement * design_effect, differing=disagreement, one_sided=True
    )


def adjusted_difference_power(
    first: ArmSize,
    second: ArmSize,
    *,
    margin: float,
    alpha: float = BEHAVIOUR_ALPHA,
    spread: float = ADJUSTED_SPREAD,
    corrected: bool = True,
) -> Power:
    """Adjusted correctness of two arms shown to differ by less than `margin` either way (two one-sided tests)."""
    _check(margin, alpha)
    rarer = WRONG_SHARE if corrected else 0.0
    return _two_arms(first, second, margin=margin, alpha=alpha, spread=spread, rarer=rarer)


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
    corrected: bool = True,
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
    rarer = TAIL_NULL if corrected else 0.0
    return _two_arms(first, second, margin=limit - TAIL_NULL, alpha=alpha, spread=spread, rarer=rarer, one_sided=True)


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
    return _one_arm(
        arm,
        margin=margin,
        alpha=alpha,
        variance=disagreement * design_effect / 2.0 * copies,
        differing=min(disagreement * (1 + references) / 2.0, 1.0),
        scatter=seed_spread * math.sqrt(copies),
        agree=_agreement(arm, disagreement * design_effect / 2.0, seed_spread, references, margin),
    )


def share_bound_power(arm: ArmSize, *, limit: float, alpha: float = BEHAVIOUR_ALPHA) -> Power:
    """A share shown below `limit` where nothing happens, by the exact bound of `share_bound`: the chance is 0 or 1.

    That is (1 - alpha^(1/patients)) * r, r being how many times as many cases as the average patient the largest has:
    whoever departs may be the largest. `smallest_visible` is that bound, the largest share that could stay unseen.
    """
    _check(limit, alpha)
    if arm.patients < 1:
        return Power(0.0, None, "there is no patient")
    ratio = arm.largest_ratio
    bound = min(1.0, (1.0 - alpha ** (1.0 / arm.patients)) * ratio)
    if bound >= limit:
        patients = patients_without_event(limit / ratio, alpha=alpha)
        cases = math.ceil(patients * arm.cases / arm.patients)
        needed = f"about {cases} images of {patients} patients are needed even if nothing happens"
        uneven = f", as one patient has {arm.largest} of {arm.cases}" if ratio > 1.0 else ""
        return Power(0.0, bound, f"cannot pass: {needed}{uneven}")
    return Power(0.0, bound, reason) if (reason := _too_small(arm)) else Power(1.0, bound)


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


def _one_arm(
    arm: ArmSize,
    *,
    margin: float,
    alpha: float,
    variance: float,
    differing: float,
    scatter: float = 0.0,
    agree: float = 1.0,
    one_sided: bool = False,
) -> Power:
    """One arm's mean held against a margin; of `scatter` the bound knows nothing, and no case lessens it."""
    if arm.patients < 2:
        return Power(0.0, None, _too_small(arm))
    error = math.sqrt(variance / arm.cases)
    few, df = few_differ(arm.cases, arm.patients, differing), arm.patients - 1.0
    metric = PlannedError(error, (), 1.0)
    spread = math.hypot(error, scatter)
    bound = metric.bound(patients=arm.patients, extremes=few, thin=False)
    visible = visible_effect(spread, alpha, df, bound=bound)
    if reason := _too_small(arm):
        return Power(0.0, visible, reason)
    bounds = [metric.bound(patients=arm.patients, extremes=extremes, thin=False) for extremes in (0.0, 1.0)]
    plain, widened = (float(norm.cdf(deviate(margin, spread, bound, alpha, df))) for bound in bounds)
    one = (1.0 - few) * plain + few * widened
    return Power((one if one_sided else max(2.0 * one - 1.0, 0.0)) * agree, visible)


def _agreement(arm: ArmSize, variance: float, seed_spread: float, references: int, margin: float) -> float:
    """The chance that the references' range stays within the margin."""
    if arm.cases < 1:
        return 0.0
    one_model = math.hypot(seed_spread, math.sqrt(variance / arm.cases))
    return float(studentized_range.cdf(margin / one_model, references, math.inf))


def _two_arms(
    first: ArmSize,
    second: ArmSize,
    *,
    margin: float,
    alpha: float,
    spread: float,
    rarer: float = 0.0,
    one_sided: bool = False,
) -> Power:
    """Two independent arms; `rarer`: share of the rarer outcome where cases have one of two, else 0."""
    reason = _too_small(first, second)
    if min(first.patients, second.patients) < 2:
        return Power(0.0, None, reason)
    shares = 1.0 / first.cases, 1.0 / second.cases
    error = spread * math.sqrt(sum(shares))
    # Welch-Satterthwaite, each arm's part of the variance being as its share of cases.
    df = sum(shares) ** 2 / (shares[0] ** 2 / (first.patients - 1) + shares[1] ** 2 / (second.patients - 1))
    few = [few_differ(arm.cases, arm.patients, rarer) if rarer else 0.0 for arm in (first, second)]
    added = [chance / (arm.patients + 2.0) for chance, arm in zip(few, (first, second), strict=True)]
    extremes = sum(
        chance * (rarer**2 + (1.0 - rarer) ** 2) / (arm.patients + 2.0) ** 2
        for chance, arm in zip(few, (first, second), strict=True)
    )
    shift = (1.0 - 2.0 * rarer) * (added[0] - added[1])
    bound = math.sqrt(error**2 + extremes)
    visible = visible_effect(error, alpha, df, bound=bound)
    if reason:
        return Power(0.0, visible, reason)
    upper, lower = (
        float(norm.cdf(deviate(margin - max(moved, 0.0), error, bound, alpha, df))) for moved in (shift, -shift)
    )
    return Power(upper if one_sided else max(upper + lower - 1.0, 0.0), visible)
