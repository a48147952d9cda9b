"""What a behavioural candidate is asked on validation cases before it may cost a look at the holdout.

Point estimates over all there is, with no least number: a screen chooses what is worth judging and
judges nothing. It is unadjusted for difficulty, so a group that is simply harder is left too easily,
never kept too easily.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from maintain.imaging import State
from maintain.records import Figure, Measurement, Plan
from maintain.vocabulary import Claim, Role

#: Largest difference in accuracy between forgotten and never-seen cases (DESIGN §7, `held-out`).
LARGEST_GAP = 0.10
#: Of the champion's own difference that may be left (DESIGN §7, `held-out`).
LARGEST_SHARE_OF_GAP = 0.5
#: Retained accuracy that may be lost where the plan has no retention gate to ask.
LARGEST_LOSS = 0.05

#: Roles that choose a behavioural candidate. For never-saw no method that needs them is ever run.
SCREENING_ROLES = (Role.FORGET, Role.NEVER_SEEN_VALIDATION)

#: Answers of weights for the cases of some roles.
Ask: TypeAlias = Callable[[State, tuple[Role, ...]], tuple[Measurement, ...]]


@dataclass(frozen=True, slots=True)
class Screened:
    """Whether a candidate goes on, why, and the figures that said so."""

    passed: bool
    reason: str
    figures: tuple[Figure, ...]


def screen(plan: Plan, ask: Ask, *, champion: State, candidate: State) -> Screened:
    """Hold a behavioural candidate against its champion on validation cases and the forget set."""
    if plan.claim is Claim.NEVER_SAW:
        return Screened(False, "No forget case may be measured for the claim never-saw.", ())
    lost = _loss(plan, ask, champion, candidate)
    left = _gap(ask, champion, candidate)
    figures = (*lost.figures, *left.figures)
    failed = [found.reason for found in (lost, left) if not found.passed]
    if failed:
        return Screened(False, " ".join(failed), figures)
    return Screened(True, f"{lost.reason} {left.reason}", figures)


def retained_loss(ask: Ask, *, champion: State, candidate: State) -> Figure | None:
    """Accuracy lost on validation cases outside the forget group, or None where there are none."""
    before, after = ask(champion, (Role.VALIDATION,)), ask(candidate, (Role.VALIDATION,))
    if not before or not after:
        return None
    return _figure("retained accuracy lost", _accuracy(before) - _accuracy(after), before)


# --- private ---------------------------------------------------------------------------------------


def _loss(plan: Plan, ask: Ask, champion: State, candidate: State) -> Screened:
    limit = _allowed_loss(plan)
    figure = retained_loss(ask, champion=champion, candidate=candidate)
    if figure is None:
        return Screened(False, "There are no validation cases to measure what is retained.", ())
    figure = _with_limit(figure, limit)
    if figure.value > limit:
        return Screened(False, f"It loses {figure.value:.3f} of retained accuracy, more than {limit:g}.", (figure,))
    return Screened(True, f"It loses {figure.value:.3f} of retained accuracy.", (figure,))


def _gap(ask: Ask, champion: State, candidate: State) -> Screened:
    gaps = []
    for state in (champion, candidate):
        forgotten, unseen = (ask(state, (role,)) for role in SCREENING_ROLES)
        if not forgotten or not unseen:
            return Screened(False, "There are no never-seen validation cases to compare the forget set with.", ())
        gaps.append((_accuracy(forgotten) - _accuracy(unseen), (*forgotten, *unseen)))
    (before, _), (after, rows) = gaps
    limit = min(LARGEST_GAP, LARGEST_SHARE_OF_GAP * max(before, 0.0))
    figures = (
        _figure("champion, forgotten minus never-seen accuracy", before, rows),
        _with_limit(_figure("candidate, forgotten minus never-seen accuracy", after, rows), limit),
    )
    if before <= 0:
        return Screened(False, f"The champion shows nothing to forget ({before:+.3f}), so nothing was shown.", figures)
    said = f"Forgotten and never-seen cases differ by {after:+.3f} (champion {before:+.3f})"
    if abs(after) > limit:
        return Screened(False, f"{said}, more than {limit:.3f}.", figures)
    return Screened(True, f"{said}.", figures)


def _allowed_loss(plan: Plan) -> float:
    margins = (
        float(setting.value)
        for request in plan.gates
        if request.name == "retention"
        for setting in request.options
        if setting.name == "margin"
    )
    return next(margins, LARGEST_LOSS)


def _accuracy(rows: tuple[Measurement, ...]) -> float:
    """Share decided as labelled; a label that the model does not know is never decided right."""
    return sum(row.logits.index(max(row.logits)) == row.label[0] for row in rows) / len(rows)


def _figure(name: str, value: float, rows: tuple[Measurement, ...]) -> Figure:
    return Figure(name, value, cases=len(rows), patients=len({row.patient for row in rows}))


def _with_limit(figure: Figure, limit: float) -> Figure:
    return Figure(figure.name, figure.value, limit=limit, cases=figure.cases, patients=figure.patients)
