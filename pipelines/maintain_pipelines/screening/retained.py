"""What is lost on validation cases outside the forget group; the same for every claim."""

from __future__ import annotations

from maintain.imaging import State
from maintain.records import Figure
from maintain.vocabulary import Role
from maintain_pipelines.screening.base import Ask, Contest, Screened, accuracy, beyond, figure, left, limit_of

#: Retained accuracy that may be lost where the plan has no retention gate to ask (DESIGN §7, `retention`).
LARGEST_LOSS = 0.05

#: Weights of accuracy lost, and of what is lost beyond noise, in a score (feasibility study, section 5).
LOST, BADLY_LOST, SLACK = 1.5, 5.0, 0.03


def screen(contest: Contest) -> Screened:
    """Left where more is lost than the plan's retention gate allows, or nothing can be said of it."""
    limit = limit_of(contest.plan, "retention", "margin", default=LARGEST_LOSS)
    lost = retained_loss(contest.ask, champion=contest.champion, candidate=contest.candidate, limit=limit)
    if lost is None:
        return left("There are no validation cases to measure what is retained.")
    score = LOST * beyond(lost.value, 0.0) + BADLY_LOST * beyond(lost.value, SLACK)
    if lost.value > limit:
        return left(f"It loses {lost.value:.3f} of retained accuracy, more than {limit:g}.", lost, score=score)
    return Screened(True, f"It loses {lost.value:.3f} of retained accuracy.", (lost,), score)


def retained_loss(ask: Ask, *, champion: State, candidate: State, limit: float | None = None) -> Figure | None:
    """Accuracy lost on validation cases outside the forget group, or None where there are none."""
    before, after = ask(champion, (Role.VALIDATION,)), ask(candidate, (Role.VALIDATION,))
    if not before or not after:
        return None
    return figure("retained accuracy lost", accuracy(before) - accuracy(after), before, limit=limit)
