"""What each gate of a plan will be able to see, and how often an honest model passes it, before anything is spent.

Only sizes are looked at, never an answer of a model: the role table says how many cases and patients each gate
judges, and the statistics room what a comparison of that size does. The chances are those of a model that lost
nothing and leaks nothing. That a forgetting gate also needs a champion that leaks is found out by measuring.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from maintain.gates import requests_of
from maintain.gates.base import number
from maintain.gates.options import CASES_FOR_STRICT_TAIL
from maintain.records import GateRequest, Plan, PlannedCase, RoleTable
from maintain.statistics import (
    BEHAVIOUR_ALPHA,
    LIKELY,
    ArmSize,
    Power,
    adjusted_difference_power,
    calibrated_auc_power,
    mean_bound_power,
    paired_metrics_power,
    paired_power,
    share_bound_power,
    tail_share_power,
)
from maintain.statistics.power import (
    ATTACK_SPREAD_CLEAN_LABELS,
    HARD_DISAGREEMENT,
    HARD_SEED_SPREAD,
    USUAL_DISAGREEMENT,
)
from maintain.unlearn import METHODS
from maintain.vocabulary import Claim, Role


@dataclass(frozen=True, slots=True)
class Prospect:
    """One question of one gate: the arm it judges, and what a comparison of that size can show.

    `positives`: cases of the arm's rarest label. `smallest_visible`: the true difference that would be seen four
    times in five. `chance` is None where nothing is estimated: an exact proof, or a question already counted.
    """

    gate: str
    what: str
    cases: int
    patients: int
    positives: int
    smallest_visible: float | None
    chance: float | None
    note: str = ""


def prospects_of(plan: Plan, roles: RoleTable) -> tuple[Prospect, ...]:
    """What every gate of a plan can show, in the plan's order; a gate may ask more than one question."""
    arms = _arms(plan, roles)
    return tuple(
        prospect for request in plan.gates for prospect in _FORECASTS.get(request.name, _unknown)(request, arms)
    )


def release_chance(plan: Plan, prospects: tuple[Prospect, ...]) -> float:
    """The chance that an honest model of unchanged quality passes every decisive gate, were it judged by all of them.

    Gates are taken as independent, which is slightly too low: they share cases. Caps on what changes are not in it.
    """
    return math.prod(prospect.chance for prospect in decisive(plan, prospects) if prospect.chance is not None)


def decisive(plan: Plan, prospects: tuple[Prospect, ...]) -> tuple[Prospect, ...]:
    """The prospects of the gates that must pass."""
    names = {request.name for request in plan.gates if request.decisive}
    return tuple(prospect for prospect in prospects if prospect.gate in names)


def retrain_chance(plan: Plan, prospects: tuple[Prospect, ...]) -> float:
    """The same of a model that was trained anew: digests decide of it, and of behaviour retention alone."""
    names = {request.name for request in requests_of(plan, anew=True) if request.decisive}
    return math.prod(one.chance for one in prospects if one.gate in names and one.chance is not None)


def warning_of(plan: Plan, prospects: tuple[Prospect, ...]) -> str:
    """What to say before time is spent on a plan that even an honest model would probably not pass; else nothing."""
    anew, revised = retrain_chance(plan, prospects), release_chance(plan, prospects)
    if anew < LIKELY:
        names = {request.name for request in requests_of(plan, anew=True) if request.decisive}
        return (
            f"The chance that an honest retrain of unchanged quality passes is {100 * anew:.0f} %;"
            f" {_narrowest(prospects, names)}"
        )
    if revised >= LIKELY or all(_anew(method.name) for slot in plan.slots for method in slot.methods):
        return ""
    names = {one.gate for one in decisive(plan, prospects)}
    return (
        f"The chance that a revised champion which forgot everything passes is {100 * revised:.0f} %;"
        f" {_narrowest(prospects, names)} A retrain, which digests decide, passes in {100 * anew:.0f} of 100."
    )


# --- private ---------------------------------------------------------------------------------------


def _anew(method: str) -> bool:
    return Claim.NEVER_SAW in METHODS[method].claims


def _narrowest(prospects: tuple[Prospect, ...], names: set[str]) -> str:
    """The gate of these that passes an honest model least often, and what would help."""
    counted = [prospect for prospect in prospects if prospect.gate in names and prospect.chance is not None]
    least = min(counted, key=lambda prospect: prospect.chance or 0.0)
    return (
        f"the gate {least.gate} alone passes it in {100 * (least.chance or 0.0):.0f} of 100, judging {least.cases}"
        f" images of {least.patients} patients. More patients to judge by, or a wider margin in the policy, raise it."
    )


@dataclass(frozen=True, slots=True)
class _Arm:
    """The cases of one side of a comparison, counted."""

    size: ArmSize
    labels: tuple[int, ...]

    @property
    def rarest(self) -> int:
        """Cases of the rarest label."""
        return min(self.labels, default=0)


@dataclass(frozen=True, slots=True)
class _Arms:
    """Every side that a gate may judge. `forget` has no patient of whom something is kept; `alpha` is retention's."""

    loaded: _Arm
    forgotten: _Arm
    forget: _Arm
    never_seen: _Arm
    holdout: _Arm
    alpha: float


_Forecast: TypeAlias = Callable[[GateRequest, _Arms], tuple[Prospect, ...]]


def _arms(plan: Plan, roles: RoleTable) -> _Arms:
    forgotten, retained = roles.of(Role.FORGET), roles.of(Role.RETAIN)
    kept = {row.patient for row in retained}
    every = frozenset(row.label for row in roles.rows if row.label)
    return _Arms(
        loaded=_arm((*forgotten, *retained)),
        forgotten=_arm(forgotten),
        forget=_arm(tuple(row for row in forgotten if row.patient not in kept)),
        never_seen=_arm(roles.of(Role.NEVER_SEEN)),
        holdout=_arm(roles.of(Role.HOLDOUT), every),
        alpha=plan.slots[0].alpha,
    )


def _arm(rows: tuple[PlannedCase, ...], every: frozenset[str] = frozenset()) -> _Arm:
    """Counts by label: of those that occur, and of all that `every` names."""
    counts = Counter(row.label for row in rows)
    labels = tuple(counts[label] for label in sorted(every | set(counts)))
    images = Counter(row.patient for row in rows)
    return _Arm(ArmSize(len(rows), len(images), max(images.values(), default=0)), labels)


def _prospect(request: GateRequest, what: str, arm: _Arm, power: Power | None, note: str = "") -> Prospect:
    return Prospect(
        gate=request.name,
        what=what,
        cases=arm.size.cases,
        patients=arm.size.patients,
        positives=arm.rarest,
        smallest_visible=power.smallest_visible if power else None,
        chance=power.chance if power else None,
        note=(power.reason if power else "") or note,
    )


def _integrity(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    return (_prospect(request, "files, weights and loader counts", arms.loaded, None, "exact at any size"),)


def _never_saw(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    return (_prospect(request, "what training loaded", arms.forgotten, None, "exact at any size"),)


def _retention(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    margin = number(request, "margin")

    def power(disagreement: float) -> Power:
        return paired_metrics_power(
            arms.holdout.labels,
            arms.holdout.size.patients,
            margin=margin,
            alpha=arms.alpha,
            disagreement=disagreement,
        )

    easier = power(USUAL_DISAGREEMENT).chance
    note = f"{_percent(easier)} if the two models disagree on {_percent(USUAL_DISAGREEMENT)} of the images only"
    return (_prospect(request, "loss against the champion", arms.holdout, power(HARD_DISAGREEMENT), note),)


def _held_out(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    power = adjusted_difference_power(
        arms.forget.size,
        arms.never_seen.size,
        margin=number(request, "margin"),
        alpha=BEHAVIOUR_ALPHA,
    )
    return (_prospect(request, "gap to never-seen images", arms.forget, power, _against(arms)),)


def _membership(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    arm, other, alpha = arms.forget, arms.never_seen, BEHAVIOUR_ALPHA
    margin = number(request, "margin")
    limit = number(request, "small_tail" if arm.size.cases < CASES_FOR_STRICT_TAIL else "tail")
    attack = calibrated_auc_power(arm.size, other.size, margin=margin, alpha=alpha)
    clean = calibrated_auc_power(
        arm.size, other.size, margin=margin, alpha=alpha, spread=ATTACK_SPREAD_CLEAN_LABELS
    ).chance
    tail = tail_share_power(arm.size, other.size, limit=limit, alpha=alpha)
    note = f"{_against(arms)}; {_percent(clean)} where labels carry no noise"
    return (
        _prospect(request, "attack AUC beyond one half", arm, attack, note),
        _prospect(request, "share in the never-seen tail", arm, tail, _against(arms)),
    )


def _not_collapsed(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    power = paired_power(
        arms.never_seen.size,
        margin=number(request, "margin"),
        alpha=BEHAVIOUR_ALPHA,
    )
    return (_prospect(request, "loss on never-seen images of the group", arms.never_seen, power),)


def _reference(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    """Of the two arms the one that passes less often; every forgotten case counts, as in the gate."""
    margin, alpha = number(request, "margin"), BEHAVIOUR_ALPHA
    arm = min(arms.forgotten, arms.never_seen, key=lambda side: mean_bound_power(side.size, margin=margin).chance)
    power = mean_bound_power(arm.size, margin=margin, alpha=alpha)
    shifted = mean_bound_power(arm.size, margin=margin, alpha=alpha, seed_spread=HARD_SEED_SPREAD).chance
    note = f"{_percent(shifted)} where the group looks very unlike the rest: seeds then scatter more"
    return (_prospect(request, "distance to the mean of the references", arm, power, note),)


def _zero(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    """Of the two arms the one whose bound is wider; every forgotten case counts, as in the gate."""
    limit = number(request, "limit")
    found = [
        (arm, share_bound_power(arm.size, limit=limit, alpha=BEHAVIOUR_ALPHA))
        for arm in (arms.forgotten, arms.never_seen)
    ]
    arm, power = max(found, key=lambda one: 1.0 if one[1].smallest_visible is None else one[1].smallest_visible)
    return (_prospect(request, "images still given the label", arm, power),)


def _recalibration(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    note = "asks the gates above once more, so it is not counted twice"
    return (_prospect(request, "the same after recalibration", arms.forget, None, note),)


def _rank(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    note = f"can only refuse, and refuses an honest model in at most {_percent(BEHAVIOUR_ALPHA)}"
    return (_prospect(request, "forgotten among never-seen patients", arms.forget, None, note),)


def _unknown(request: GateRequest, arms: _Arms) -> tuple[Prospect, ...]:
    return (replace(_prospect(request, "not forecast", arms.forget, None), note="nothing is known of its chance"),)


def _against(arms: _Arms) -> str:
    size = arms.never_seen.size
    return f"against {size.cases} never-seen images of {size.patients} patients"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_FORECASTS: Mapping[str, _Forecast] = {
    "integrity": _integrity,
    "never-saw": _never_saw,
    "retention": _retention,
    "held-out": _held_out,
    "membership": _membership,
    "not-collapsed": _not_collapsed,
    "reference": _reference,
    "zero": _zero,
    "bn-recalibration": _recalibration,
    "rank": _rank,
}
